/** The text of an Apache configuration that stands on its own: nothing of the machine's is read or changed. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isRoot, MODULES, type SystemUser, type Variant } from './apache-variants.ts'

export type ApacheConfig = {
  readonly variant: Variant
  readonly port: number
  /** Folder for run files and the error log. */
  readonly runFolder: string
  readonly documentRoot: string
  /** Folder outside the document root that is served as `/cgi-bin/`, if any. */
  readonly scriptFolder?: string | undefined
  readonly allowOverride: 'All' | 'None'
  readonly scriptUser: SystemUser | undefined
  /** Further lines. */
  readonly extra: string
}

const COMMON_MODULES = [
  'authz_core',
  'authn_core',
  'authz_user',
  'authn_file',
  'auth_basic',
  'alias',
  'deflate',
  'dir',
  'env',
  'filter',
  'headers',
  'mime',
  'rewrite',
  'setenvif',
]

/** Requests that are served at once; hosts that count processes allow about as many. */
const SLOTS = 20

function modules(variant: Variant): string {
  const names = [`mpm_${variant.mpm}`, ...COMMON_MODULES, variant.cgi]
  if (variant.suexec) names.push('suexec')
  return names
    .filter((name) => existsSync(join(MODULES, `mod_${name}.so`)))
    .map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`)
    .join('\n')
}

function scriptAlias(config: ApacheConfig): string {
  if (config.scriptFolder === undefined) return ''
  return `ScriptAlias /cgi-bin/ ${config.scriptFolder}/
<Directory ${config.scriptFolder}>
  AllowOverride ${config.allowOverride}
  Options +ExecCGI
  Require all granted
</Directory>`
}

/** Few workers, short timeouts; compression as most hosts have it on. */
export function apacheConfig(config: ApacheConfig): string {
  const { variant, runFolder, documentRoot, scriptUser } = config
  return `ServerRoot ${runFolder}
DefaultRuntimeDir ${runFolder}
PidFile ${runFolder}/apache.pid
ServerName 127.0.0.1
Listen 127.0.0.1:${config.port}
${modules(variant)}
${isRoot ? 'User www-data\nGroup www-data' : ''}
ErrorLog ${runFolder}/error.log
LogLevel warn
Timeout 20
KeepAlive On
<IfModule mpm_prefork_module>
  StartServers 4
  MaxRequestWorkers ${SLOTS}
</IfModule>
<IfModule mpm_event_module>
  StartServers 1
  ThreadsPerChild ${SLOTS}
  MaxRequestWorkers ${SLOTS}
</IfModule>
<IfModule cgid_module>
  ScriptSock ${runFolder}/cgid.sock
</IfModule>
TypesConfig /dev/null
AddOutputFilterByType DEFLATE application/json text/plain text/html
<Directory />
  AllowOverride None
  Require all denied
</Directory>
<VirtualHost 127.0.0.1:${config.port}>
  DocumentRoot ${documentRoot}
  ${variant.suexec && scriptUser ? `SuexecUserGroup ${scriptUser.name} "#${scriptUser.gid}"` : ''}
  <Directory ${documentRoot}>
    AllowOverride ${config.allowOverride}
    Options FollowSymLinks
    Require all granted
  </Directory>
  ${scriptAlias(config)}
  ${config.extra}
</VirtualHost>
`
}
