// Plain `node:http` that answers with the headers that Longshore sends.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer({ keepAliveTimeout: 65_000 }, (_, response) => {
  response.writeHead(200, { 'content-type': 'text/html;charset=utf-8', 'content-length': 5 });
  response.end('hello');
});
server.listen(0, '127.0.0.1', () =>
  console.log(`listening ${(server.address() as AddressInfo).port}`),
);
