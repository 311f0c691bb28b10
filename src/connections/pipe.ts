import type { TcpConnection } from './tcp.ts';

/**
 * Forwards `source`'s messages to `target`, one direction, with flow control: a target whose send queue is full stops
 * the source until it has drained, so the memory in between is bounded whatever the two ends' speeds.
 *
 * It replaces `source.onMessage`, `source.onClose`, `target.onBufferFull` and `target.onBufferDrain`. Messages pass
 * through both protocols; for a proxy of bytes let both ends speak `tcp://`.
 */
export function pipe(source: TcpConnection, target: TcpConnection): void {
  source.onMessage = (_, message) => void target.send(message);
  source.onClose = () => target.close();
  target.onBufferFull = () => source.pauseRecv();
  target.onBufferDrain = () => source.resumeRecv();
}
