/**
 * What a server in Node does at least to send a page: it has the bytes in memory and looks at nothing.
 *
 *     node bench/page-server.ts PORT FILE
 */
import fs from 'node:fs'
import http from 'node:http'

const [port, file = ''] = process.argv.slice(2)
const page = fs.readFileSync(file)
const headers = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'max-age=0, no-cache, must-revalidate',
  'content-length': page.length,
}
http
  .createServer((_request, response) => {
    response.writeHead(200, headers)
    response.end(page)
  })
  .listen(Number(port), '127.0.0.1')
