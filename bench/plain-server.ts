/**
 * What a server in Node does at least: takes a body and answers "ok", streams files, stores nothing.
 *
 *     node bench/plain-server.ts PORT FOLDER
 */
import fs from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'

const [port, folder = ''] = process.argv.slice(2)

function takeBody(request: http.IncomingMessage, response: http.ServerResponse): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const size = Buffer.concat(chunks).length
    response.writeHead(size > 0 ? 200 : 400, { 'content-type': 'text/plain' })
    response.end('ok')
  })
}

async function streamFiles(response: http.ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/plain' })
  for (const name of fs.readdirSync(folder).sort()) {
    for await (const chunk of fs.createReadStream(join(folder, name))) {
      if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve))
    }
  }
  response.end()
}

const server = http.createServer((request, response) => {
  if (request.method === 'GET') void streamFiles(response)
  else takeBody(request, response)
})
server.listen(Number(port), '127.0.0.1')
