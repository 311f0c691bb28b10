import { randomFillSync } from 'node:crypto';
import { type WebSocketProtocol, websocket } from '../protocols/websocket.ts';

const POOL = 8192;
const pool = Buffer.alloc(POOL);
let used = POOL;

/** Four bytes that nobody can predict (RFC 6455 section 10.3). */
function mask(): Buffer {
  if (used >= POOL) {
    randomFillSync(pool);
    used = 0;
  }
  used += 4;
  return pool.subarray(used - 4, used);
}

/** WebSocket as a client speaks it. */
export const clientProtocol: WebSocketProtocol = websocket({
  role: 'client',
  deflate: false,
  mask,
});
/** The same with permessage-deflate agreed on. */
export const deflatingClientProtocol: WebSocketProtocol = websocket({
  role: 'client',
  deflate: true,
  mask,
});
