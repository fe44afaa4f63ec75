// The start page: how a mail program is set up. RFC 8314 §5.1 (implicit TLS first), RFC 6186.
import { escapeHtml } from './escape-html.ts'

/** One way in, as it is told to people. */
export interface ServiceSetting {
  /** `IMAP`, `POP3`, `SMTP`. */
  readonly protocol: string
  /** When to choose it. */
  readonly purpose: string
  readonly host: string
  readonly port: number
  readonly security: 'TLS' | 'STARTTLS'
}

export interface MailSettings {
  readonly hostname: string
  readonly services: readonly ServiceSetting[]
}

/** The page. It shows only what every mail program is told anyway: names of hosts and ports. */
export function settingsPage({ hostname, services }: MailSettings): string {
  const rows = services.map(
    ({ protocol, purpose, host, port, security }) =>
      `<tr><th scope="row">${escapeHtml(protocol)}</th><td>${escapeHtml(host)}</td><td>${port}</td><td>${security}</td><td>${escapeHtml(purpose)}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mail at ${escapeHtml(hostname)}</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { max-width: 50rem; margin: 3rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8884 }
</style>
</head>
<body>
<main>
<h1>Mail at ${escapeHtml(hostname)}</h1>
<p>Enter these in your mail program. The user name is your whole address, and the password is yours or an app password.</p>
<table>
<thead><tr><th scope="col">Protocol</th><th scope="col">Server</th><th scope="col">Port</th><th scope="col">Security</th><th scope="col">When</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
<p>Choose IMAP to read the same mail on several devices. POP3 fetches it to one.</p>
</main>
</body>
</html>
`
}
