import { createServer, type Server } from 'node:http';

/** Port of the operator's probes and metrics. */
export const OPERATOR_PORT = 9465;

export type Health = {
  /** Why it is not ready; `undefined` if it is. */
  readonly unready: () => string | undefined;
  readonly metrics: () => Promise<string>;
};

/** `/livez`, `/readyz`, `/metrics`. @throws if the port cannot be opened */
export async function serveHealth({ unready, metrics }: Health, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const text = (status: number, body: string, type = 'text/plain; charset=utf-8') =>
      response.writeHead(status, { 'content-type': type }).end(body);
    const why = unready();
    switch (request.url?.split('?')[0]) {
      case '/livez':
        text(200, 'ok\n');
        break;
      case '/readyz':
        if (why === undefined) text(200, 'ok\n');
        else text(503, `${why}\n`);
        break;
      case '/metrics':
        metrics().then(
          (body) => text(200, body, 'text/plain; version=0.0.4; charset=utf-8'),
          (error) => text(500, `${error}\n`),
        );
        break;
      default:
        text(404, 'there is: /livez, /readyz, /metrics\n');
    }
  });
  server.headersTimeout = 5000;
  server.maxConnections = 64;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, '::', resolve);
  await promise;
  return server;
}
