// The configuration: a TOML file, `--data` and `--listen`, secrets from files and the environment, defaults that work. TOML 1.0.
//
// Wherever the schema wants text, the file may say `{ file = "/run/secrets/x" }` or `{ env = "NAME" }` in its place.
import { existsSync, readFileSync } from 'node:fs'
import { homedir, hostname as machineName } from 'node:os'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parse as parseToml, TomlError } from 'smol-toml'
import { z } from 'zod'
import { ConfigError, type ConfigProblem } from './config-error.ts'
import { type ConfigOutput, configSchema } from './config-schema.ts'
import { doorNames, type Listen, parseListenOptions } from './listen.ts'
import { findNearest } from './nearest.ts'
import { findElement, findShape, unwrapSchema } from './schema-walk.ts'

/** The settled configuration. Plain values only: it crosses threads. */
export interface Config extends Omit<ConfigOutput, 'listen' | 'hostname' | 'dataDir' | 'threads'> {
  readonly hostname: string
  readonly dataDir: string
  readonly threads: number
  readonly listen: Listen
  /** Nothing goes to other machines: mail for them comes back at once. Of the demo; no key of the file. */
  readonly isIsolated: boolean
}

export interface ConfigSources {
  /** `--config`; without it `$RESTANTE_CONFIG`, else `/etc/restante/restante.toml` where there is one. */
  readonly file?: string | undefined
  /** `--data` */
  readonly dataDir?: string | undefined
  /** `--listen NAME=ADDRESS:PORT`, any number: when there is one, nothing else is opened. */
  readonly listen?: readonly string[] | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** What relative paths are relative to: the caller's folder. */
  readonly cwd: string
}

const systemFile = '/etc/restante/restante.toml'

/** Reads and checks the configuration. Throws `ConfigError`. */
export function loadConfig(sources: ConfigSources): Config {
  const file = findConfigFile(sources)
  const text = file === undefined ? '' : readConfigFile(file)
  const config = parseConfig(text, {
    file: file ?? 'defaults',
    baseDir: file === undefined ? sources.cwd : dirname(file),
    env: sources.env,
  })
  const dataDir =
    sources.dataDir !== undefined
      ? resolve(sources.cwd, sources.dataDir)
      : (config.dataDir ?? defaultDataDir(sources))
  return { ...config, dataDir, listen: listenOf(config.listen, sources.listen ?? []) }
}

function findConfigFile({ file, env, cwd }: ConfigSources): string | undefined {
  if (file !== undefined) return resolve(cwd, file)
  if (env['RESTANTE_CONFIG']) return resolve(cwd, env['RESTANTE_CONFIG'])
  return existsSync(systemFile) ? systemFile : undefined
}

function readConfigFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(
      file,
      [{ key: '', message: `cannot be read (${(error as NodeJS.ErrnoException).code})` }],
      {
        cause: error,
      },
    )
  }
}

function defaultDataDir({ env, cwd }: ConfigSources): string {
  if (env['RESTANTE_DATA']) return resolve(cwd, env['RESTANTE_DATA'])
  if (process.platform === 'linux' && process.getuid?.() === 0) return '/var/lib/restante'
  return join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'restante')
}

function listenOf(configured: Listen, options: readonly string[]): Listen {
  if (options.length === 0) return configured
  try {
    return parseListenOptions(options)
  } catch (error) {
    throw new ConfigError('command line', [{ key: '', message: (error as Error).message }], { cause: error })
  }
}

interface ParseContext {
  /** For errors. */
  readonly file: string
  /** What relative paths are relative to. */
  readonly baseDir: string
  readonly env: Readonly<Record<string, string | undefined>>
}

type ParsedConfig = Omit<Config, 'dataDir'> & { readonly dataDir: string | undefined }

/** Checks a configuration's text. Throws `ConfigError` with all that is wrong. */
export function parseConfig(text: string, context: ParseContext): ParsedConfig {
  const problems: ConfigProblem[] = []
  const tree = readSecrets(parseTree(text, context.file), configSchema, [], context, problems)
  findUnknownKeys(tree, configSchema, [], problems)
  const result = configSchema.safeParse(tree)
  if (!result.success) {
    for (const issue of result.error.issues) {
      if (issue.code === 'unrecognized_keys') continue
      problems.push({ key: keyOf(issue.path), message: messageOf(issue) })
    }
  }
  if (problems.length > 0 || !result.success) throw new ConfigError(context.file, problems)
  return settle(result.data, context)
}

function settle(output: ConfigOutput, { baseDir }: ParseContext): ParsedConfig {
  const listen: Listen = Object.fromEntries(
    doorNames.map(name => [name, output.listen[name]] as const).filter(([, list]) => list.length > 0),
  )
  const pathOf = (path: string) => resolve(baseDir, path)
  const { certificates, clientCaFile } = output.tls
  return {
    ...output,
    tls: {
      certificates: certificates.map(({ certFile, keyFile }) => ({
        certFile: pathOf(certFile),
        keyFile: pathOf(keyFile),
      })),
      ...(clientCaFile !== undefined && { clientCaFile: pathOf(clientCaFile) }),
    },
    store: {
      ...output.store,
      s3: {
        ...output.store.s3,
        ...(output.store.s3.caFile !== undefined && { caFile: pathOf(output.store.s3.caFile) }),
      },
      tls: {
        mode: output.store.tls.mode,
        ...(output.store.tls.caFile !== undefined && { caFile: pathOf(output.store.tls.caFile) }),
        ...(output.store.tls.certFile !== undefined && { certFile: pathOf(output.store.tls.certFile) }),
        ...(output.store.tls.keyFile !== undefined && { keyFile: pathOf(output.store.tls.keyFile) }),
      },
    },
    hostname: output.hostname ?? machineName(),
    dataDir: output.dataDir === undefined ? undefined : pathOf(output.dataDir),
    threads: output.threads ?? Math.min(availableParallelism(), 4),
    listen,
    isIsolated: false,
  }
}

type Tree = Record<string, unknown>

function parseTree(text: string, file: string): Tree {
  try {
    return parseToml(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? 'is not TOML'
    throw new ConfigError(`${file}:${error.line}:${error.column}`, [{ key: '', message: reason }], {
      cause: error,
    })
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** Puts the contents of files and environment variables where text is wanted and `{ file = … }` or `{ env = … }` stands. */
function readSecrets(
  tree: Tree,
  schema: z.ZodType,
  path: readonly PropertyKey[],
  context: ParseContext,
  problems: ConfigProblem[],
): Tree {
  const shape = findShape(schema) ?? {}
  const result: Tree = Object.create(null) as Tree
  for (const [key, value] of Object.entries(tree)) {
    const child = Object.hasOwn(shape, key) ? shape[key] : undefined
    result[key] = value
    const element = child && findElement(child)
    if (element !== undefined && Array.isArray(value)) {
      result[key] = value.map((item, index) =>
        isTree(item) ? readSecrets(item, element, [...path, key, index], context, problems) : item,
      )
    }
    if (child === undefined || !isTree(value)) continue
    if (findShape(child) !== undefined) {
      result[key] = readSecrets(value, child, [...path, key], context, problems)
    } else if (unwrapSchema(child) instanceof z.ZodString) {
      result[key] = readSecret(value, [...path, key], context, problems)
    }
  }
  return result
}

function readSecret(
  value: Tree,
  path: readonly PropertyKey[],
  { baseDir, env }: ParseContext,
  problems: ConfigProblem[],
): unknown {
  const [[kind, name] = [], ...others] = Object.entries(value)
  if (others.length > 0 || (kind !== 'file' && kind !== 'env') || typeof name !== 'string') {
    problems.push({ key: keyOf(path), message: 'expected text, { file = "PATH" } or { env = "NAME" }' })
    return ''
  }
  if (kind === 'env') {
    const secret = env[name]
    if (secret === undefined) {
      problems.push({ key: keyOf(path), message: `the environment has no variable ${name}` })
    }
    return secret ?? ''
  }
  try {
    return readFileSync(resolve(baseDir, name), 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    problems.push({
      key: keyOf(path),
      message: `${resolve(baseDir, name)} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    })
    return ''
  }
}

function findUnknownKeys(
  tree: Tree,
  schema: z.ZodType,
  path: readonly PropertyKey[],
  problems: ConfigProblem[],
): void {
  const shape = findShape(schema)
  if (shape === undefined) return
  for (const [key, value] of Object.entries(tree)) {
    const child = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (child !== undefined) {
      if (isTree(value)) findUnknownKeys(value, child, [...path, key], problems)
      const element = findElement(child)
      if (element === undefined || !Array.isArray(value)) continue
      value.forEach((item, index) => {
        if (isTree(item)) findUnknownKeys(item, element, [...path, key, index], problems)
      })
      continue
    }
    const nearest = findNearest(key, Object.keys(shape)) ?? findElsewhere(key, configSchema, [])
    const hint =
      nearest === undefined ? ` (known here: ${Object.keys(shape).join(', ')})` : `; did you mean ${nearest}?`
    problems.push({ key: keyOf([...path, key]), message: `unknown key${hint}` })
  }
}

/** The same key in another table: `imap.level` where `log.level` was meant. */
function findElsewhere(key: string, schema: z.ZodType, path: readonly string[]): string | undefined {
  for (const [name, child] of Object.entries(findShape(schema) ?? {})) {
    if (name === key && path.length > 0) return keyOf([...path, name])
    const found = findElsewhere(key, child, [...path, name])
    if (found !== undefined) return found
  }
  return undefined
}

function keyOf(path: readonly PropertyKey[]): string {
  return path
    .map(part => (typeof part === 'number' ? `[${part + 1}]` : String(part)))
    .join('.')
    .replaceAll('.[', '[')
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union') {
    const messages = issue.errors.flatMap(list => list.map(inner => messageOf(inner)))
    return [...new Set(messages)].join(', or ')
  }
  return issue.message.replace(/^(?:Invalid (?:input|option|string)|Too (?:small|big)): /, '')
}
