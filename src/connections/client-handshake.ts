import { randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { messageOf } from '../errors.ts';
import { Request } from '../http/request.ts';
import type { WebSocketProtocol } from '../protocols/websocket.ts';
import { acceptKey } from '../protocols/websocket-handshake.ts';
import { clientProtocol, deflatingClientProtocol } from './client-mask.ts';
import { DeflatePipe } from './deflate.ts';
import { type Deflater, extensions, newDeflater } from './permessage-deflate.ts';

type Wish = {
  /** What stands in the Host header. */
  readonly authority: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly subprotocols?: readonly string[];
  readonly deflate?: boolean;
  readonly maxPackageSize: number;
};

type Outcome =
  | { readonly failed: string }
  | {
      readonly socket: Socket;
      readonly rest: Buffer;
      readonly protocol: WebSocketProtocol;
      readonly deflate: DeflatePipe | undefined;
      readonly subprotocol: string | undefined;
      readonly answer: Request;
    };

/**
 * The client's half of the opening handshake (RFC 6455 section 4.1), through `node:http`.
 *
 * @param done called once, unless the socket is destroyed before
 */
export function openWebSocket(socket: Socket, wish: Wish, done: (outcome: Outcome) => void): void {
  const key = randomBytes(16).toString('base64');
  const deflater = wish.deflate ? offered(wish.maxPackageSize) : undefined;
  const ask = request({
    createConnection: () => socket,
    path: wish.target,
    setHost: false,
    headers: {
      Host: wish.authority,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': key,
      ...(wish.subprotocols?.length
        ? { 'Sec-WebSocket-Protocol': wish.subprotocols.join(', ') }
        : {}),
      ...(deflater ? { 'Sec-WebSocket-Extensions': offerOf(deflater) } : {}),
      ...wish.headers,
    },
  });
  ask.on('error', (error) => done({ failed: messageOf(error) }));
  ask.on('response', (answer) =>
    done({ failed: `the server answered ${answer.statusCode} ${answer.statusMessage}` }),
  );
  ask.on('upgrade', (answer, upgraded, head) => {
    try {
      const agreed = agreement(answer, { key, deflater, subprotocols: wish.subprotocols ?? [] });
      upgraded.removeAllListeners();
      done({
        socket: upgraded as Socket,
        rest: Buffer.from(head),
        ...agreed,
        answer: new Request({ headers: answer.headers }),
      });
    } catch (error) {
      done({ failed: messageOf(error) });
    }
  });
  ask.end();
}

const offered = (maxPayload: number): Deflater =>
  newDeflater({
    isServer: false,
    maxPayload,
    threshold: 1024,
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
  });

const offerOf = (deflater: Deflater) =>
  extensions.format({ 'permessage-deflate': [deflater.offer()] });

/** Checks the answer against what was asked; throws what is wrong with it. */
function agreement(
  { headers }: IncomingMessage,
  asked: { key: string; deflater: Deflater | undefined; subprotocols: readonly string[] },
): {
  protocol: WebSocketProtocol;
  deflate: DeflatePipe | undefined;
  subprotocol: string | undefined;
} {
  if (headers.upgrade?.toLowerCase() !== 'websocket')
    throw new Error('the server did not upgrade to websocket');
  if (headers['sec-websocket-accept'] !== acceptKey(asked.key)) {
    throw new Error(
      'Sec-WebSocket-Accept is wrong: something between here and the server answered',
    );
  }
  const subprotocol = headers['sec-websocket-protocol'];
  if (subprotocol !== undefined && !asked.subprotocols.includes(subprotocol)) {
    throw new Error(`the server chose the subprotocol "${subprotocol}", which was not offered`);
  }
  const chosen = headers['sec-websocket-extensions'];
  if (chosen === undefined) return { protocol: clientProtocol, deflate: undefined, subprotocol };
  const params = extensions.parse(chosen)['permessage-deflate'];
  if (!asked.deflater || !params)
    throw new Error(`the server chose the extension "${chosen}", which was not offered`);
  asked.deflater.accept(params);
  const deflate = new DeflatePipe(asked.deflater, deflatingClientProtocol);
  return { protocol: deflatingClientProtocol, deflate, subprotocol };
}
