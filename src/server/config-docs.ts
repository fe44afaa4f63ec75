// Writes docs/configuration.md from the schema. `npm run -s restante -- config docs` prints it; a test says when the file is out of date.
import type { z } from 'zod'
import { configSchema } from './config-schema.ts'
import { defaultOf, descriptionOf, findElement, findShape, kindOf } from './schema-walk.ts'

/** The whole page. */
export function configurationPage(): string {
  const sections: string[] = []
  writeTable(configSchema, [], sections)
  return `${intro}\n${sections.join('\n')}`
}

const intro = `# Configuration

<!-- Made from the schema by  npm run -s restante -- config docs > docs/configuration.md  -->

Restante runs without any configuration. What is to differ stands in a TOML file: \`--config FILE\`, else \`$RESTANTE_CONFIG\`, else
\`/etc/restante/restante.toml\`. \`restante config check\` says whether it is right, \`restante config show\` shows what is in force.

- A key that does not exist is an error, and the error names the nearest one that does.
- Wherever text is wanted, \`{ file = "/run/secrets/name" }\` takes it from a file (without the newline at its end) and \`{ env = "NAME" }\` from the
  environment, so that a secret need not stand in the file.
- Paths are relative to the file's folder.
- \`--listen NAME=ADDRESS:PORT\` on the command line replaces the whole of \`[listen]\`: what is not named is not opened.
- SIGHUP reads \`log.level\` and the certificates again; the rest is read at the start.

\`\`\`toml
hostname = "mail.example.org"

[tls]
certificates = [
  { certFile = "/etc/letsencrypt/live/mail.example.org/fullchain.pem", keyFile = "/etc/letsencrypt/live/mail.example.org/privkey.pem" },
]

[listen]
pop3 = []
pop3s = []
\`\`\`
`

/** The keys of one table, then the tables in it. */
function writeTable(schema: z.ZodType, path: readonly string[], sections: string[]): void {
  const shape = findShape(schema) ?? {}
  const keys = Object.entries(shape).filter(([, child]) => findShape(child) === undefined)
  const tables = Object.entries(shape).filter(([, child]) => findShape(child) !== undefined)
  const lines = path.length === 0 ? ['## Keys at the top', ''] : [`## [${path.join('.')}]`, '']
  const description = path.length === 0 ? '' : descriptionOf(schema)
  if (description !== '') lines.push(description, '')
  if (keys.length > 0)
    lines.push(
      '| Key | Value | Default | |',
      '|---|---|---|---|',
      ...keys.flatMap(([key, child]) => rows(key, child)),
      '',
    )
  if (keys.length > 0 || description !== '') sections.push(lines.join('\n'))
  for (const [name, child] of tables) writeTable(child, [...path, name], sections)
}

/** A key's row, and those of the keys in the tables that it lists. */
function rows(key: string, schema: z.ZodType): string[] {
  const element = findElement(schema)
  const inner = element && findShape(element)
  return [
    row(key, schema),
    ...Object.entries(inner ?? {}).flatMap(([name, child]) => rows(`${key}[].${name}`, child)),
  ]
}

function row(key: string, schema: z.ZodType): string {
  return `| \`${key}\` | ${cell(kindOf(schema))} | ${defaultCell(schema)} | ${cell(descriptionOf(schema))} |`
}

function defaultCell(schema: z.ZodType): string {
  const value = defaultOf(schema)
  if (value === undefined || isAddressList(value)) return ''
  return `\`${cell(JSON.stringify(value))}\``
}

/** The doors' defaults stand in their descriptions, as one writes them. */
function isAddressList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && typeof value[0] === 'object'
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
