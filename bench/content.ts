/** A large file up and down through `serve`, against `sha256sum` of the same file. */
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { download } from './download.ts'
import { copyOf, filledStore } from './filled-store.ts'
import { type Measurement, median } from './measurement.ts'
import { type Serving, serveApie } from './serving.ts'

const ROUNDS = 3

export const content: Measurement = {
  name: 'content',
  title: 'A large file through the standalone server',
  async run({ contentBytes }) {
    const folder = copyOf(await filledStore(10))
    const apie = await serveApie(folder)
    try {
      const up: number[] = []
      const down: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        // New bytes each time: what is there already is not stored again.
        const file = randomFile(folder, contentBytes)
        const { hash, seconds: summed } = sum(file)
        up.push(summed / (await upload(apie, file)))
        down.push(summed / (await download(apie, `/storage/${hash}`)).seconds)
        fs.rmSync(file)
      }
      const what = `${Math.round(contentBytes / 2 ** 20)} MiB`
      const limit = { atLeast: 0.6 }
      const note = 'of the speed of sha256sum'
      return [
        { what: `${what} up`, value: median(up), unit: '×', limit, note },
        { what: `${what} down`, value: median(down), unit: '×', limit, note },
        {
          what: 'resident memory',
          value: apie.peakMiB(),
          unit: 'MiB',
          limit: { atMost: 100 },
          note: 'peak',
        },
      ]
    } finally {
      await apie.stop()
      fs.rmSync(folder, { recursive: true })
    }
  },
}

function randomFile(folder: string, bytes: number): string {
  const file = join(folder, '..', `content-${process.pid}`)
  const command = `dd if=/dev/urandom of=${file} bs=1M count=${Math.round(bytes / 2 ** 20)} conv=fsync`
  spawnSync('sh', ['-c', command], { stdio: 'ignore' })
  return file
}

function sum(file: string): { hash: string; seconds: number } {
  const start = performance.now()
  const said = execFileSync('sha256sum', [file], { encoding: 'latin1' })
  return { hash: said.slice(0, 64), seconds: (performance.now() - start) / 1000 }
}

async function upload({ port, authorization }: Serving, file: string): Promise<number> {
  const start = performance.now()
  const request = http.request({
    port,
    host: '127.0.0.1',
    // A connection that was kept may have been closed by the server meanwhile.
    agent: false,
    method: 'PUT',
    path: '/storage/large.bin',
    headers: {
      authorization,
      'content-type': 'application/octet-stream',
      'content-length': fs.statSync(file).size,
    },
  })
  const answered = new Promise<number>((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
  })
  await pipeline(fs.createReadStream(file, { highWaterMark: 256 * 1024 }), request)
  const status = await answered
  if (status >= 300) throw new Error(`the upload answered ${status}`)
  return (performance.now() - start) / 1000
}
