/** Which folders web hosts use as document roots, by their names. */

const NAMES = new Set(
  'public_html htdocs httpdocs httpsdocs html www web wwwroot webroot public'.split(' '),
)

/**
 * The topmost folder in `path` that by its name is a document root, or `undefined`. `/var/www`, `/srv/www`
 * and a home called `/home/web` hold document roots and are none themselves.
 */
export function documentRootIn(path: string): string | undefined {
  const names = path.split('/')
  const index = names.findIndex((name, depth) => depth > 2 && NAMES.has(name))
  return index < 0 ? undefined : names.slice(0, index + 1).join('/')
}
