import { once } from 'node:events';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { type WebSocket, WebSocketServer } from 'ws';
import { CLEAN, endPrograms, freePort, start } from '../support/program.ts';

jest.setTimeout(60_000);
const servers: WebSocketServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    for (const client of server.clients) client.terminate();
    server.close();
  }
});
afterAll(endPrograms);

async function serverOn(port: number): Promise<WebSocketServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port });
  servers.push(server);
  await once(server, 'listening');
  return server;
}

/** The next client and what it says first. */
async function greeted(server: WebSocketServer): Promise<[WebSocket, string]> {
  const [client] = (await once(server, 'connection')) as [WebSocket];
  const [message] = await once(client, 'message');
  return [client, String(message)];
}

describe('the WebSocket client example', () => {
  it('waits for a server, comes back when it is lost, and says goodbye when it stops', async () => {
    const port = await freePort();
    const URL = `ws://127.0.0.1:${port}/feed`;
    const program = await start('examples/websocket-client.ts', { URL, DELAY: '0.05' });
    await program.line(/CONNECT_FAILED/);

    const server = await serverOn(port);
    const [first, hello] = await greeted(server);
    expect(hello).toBe('hello');
    first.send('welcome');
    await program.line(/received: welcome/);

    const from = program.output.length;
    first.terminate();
    const [second, helloAgain] = await greeted(server);
    expect(helloAgain).toBe('hello');
    await program.line(/not connected, next attempt in 0\.\d+ s\n(.*\n)*connected to ws:/, from);

    const closed = once(second, 'close');
    expect(await program.stop()).toEqual(CLEAN);
    expect((await closed)[0]).toBe(1000);
  });
});
