import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { Client } from '../../../operator/kube/client.ts';
import { Credentials } from '../../../operator/kube/credentials.ts';

/** A request as a test answers it. */
export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

/** An HTTP server that a test tells what an API server might say on a bad day, and a client of it. */
export class Api implements AsyncDisposable {
  /** All requests so far. */
  readonly asked: Asked[] = [];
  readonly #server = createServer();
  #client: Client | undefined;

  static async answering(
    answer: (asked: Asked, response: ServerResponse) => unknown,
  ): Promise<Api> {
    const api = new Api();
    api.#server.on('request', async (request, response) => {
      const url = new URL(request.url ?? '/', 'http://api');
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const asked = {
        method: request.method ?? '',
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        body: Buffer.concat(parts).toString(),
      };
      api.asked.push(asked);
      await answer(asked, response);
    });
    api.#server.listen(0, '127.0.0.1');
    await once(api.#server, 'listening');
    return api;
  }

  /** Ends what is kept open, as a restarted server does. */
  hangUp(): void {
    this.#server.closeAllConnections();
  }

  /** @param tokenFile where the client has its token */
  client(tokenFile?: string): Client {
    const { port } = this.#server.address() as AddressInfo;
    const server = `http://127.0.0.1:${port}/behind/a/proxy`;
    const client = new Client(
      new Credentials(() => {
        const config = new KubeConfig();
        // As a service account in a pod.
        const authProvider = tokenFile && { name: 'tokenFile', config: { tokenFile } };
        config.loadFromOptions({
          clusters: [{ name: 'c', server, skipTLSVerify: true }],
          users: [{ name: 'u', ...(authProvider && { authProvider }) }],
          contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
          currentContext: 'x',
        });
        return config;
      }),
    );
    this.#client = client;
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.close();
    this.hangUp();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Answers with JSON. */
export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
