/** The text of the thread that writes an index: whoever bundles a program that starts it has to put it in. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const project = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * @param plugins of esbuild
 * @returns constants for a bundle, by name
 */
export async function indexThread(plugins = []) {
  const { outputFiles } = await build({
    entryPoints: [join(project, 'src/storage/file/index-thread.ts')],
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    write: false,
    plugins,
    // It starts no thread of its own.
    define: { INDEX_THREAD: '""', 'import.meta.url': '""' },
  })
  return { INDEX_THREAD: JSON.stringify(outputFiles[0].text) }
}
