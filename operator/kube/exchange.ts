import { type Agent, type IncomingMessage, request as plainRequest } from 'node:http';
import { type RequestOptions, request as secureRequest } from 'node:https';

/** One HTTP request and its answer, within a time and a size. Knows nothing of Kubernetes. */

export type Outgoing = {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Without one: a connection of its own, closed afterwards. */
  readonly agent?: Agent | undefined;
  /** TLS options, see `node:tls`. */
  readonly tls?: RequestOptions | undefined;
  /** Time for the whole answer; of `open` for its head. */
  readonly timeoutMs: number;
  /** Longest answer. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
};

export type Answer = { readonly status: number; readonly body: string };

/** No answer, or none that can be used. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  /** `Timeout`, `TooLarge`, or Node's code as in `ECONNREFUSED`. */
  readonly code: string;
  /** A kept connection that the other end was closing at that moment: nothing of the request was read. */
  readonly stale: boolean;

  constructor(code: string, message: string, stale = false) {
    super(message);
    this.code = code;
    this.stale = stale;
  }
}

/**
 * Sends a request and reads the whole answer, whatever its status.
 *
 * @throws {ExchangeError}
 */
export async function exchange(outgoing: Outgoing): Promise<Answer> {
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), outgoing.timeoutMs);
  const signals = [timer.signal, ...(outgoing.signal ? [outgoing.signal] : [])];
  try {
    const response = await begin({ ...outgoing, signal: AbortSignal.any(signals) });
    return { status: response.statusCode ?? 0, body: await read(response, outgoing.maxBytes) };
  } catch (error) {
    throw named(error, timer.signal.aborted, outgoing.timeoutMs);
  } finally {
    clearTimeout(timeout);
  }
}

/**
 * Sends a request and gives the answer as soon as its head is there; the caller reads or destroys it.
 *
 * @throws {ExchangeError}
 */
export async function open(outgoing: Outgoing): Promise<IncomingMessage> {
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), outgoing.timeoutMs);
  const signals = [timer.signal, ...(outgoing.signal ? [outgoing.signal] : [])];
  try {
    return await begin({ ...outgoing, signal: AbortSignal.any(signals) });
  } catch (error) {
    throw named(error, timer.signal.aborted, outgoing.timeoutMs);
  } finally {
    clearTimeout(timeout);
  }
}

/**
 * The rest of an answer as text.
 *
 * @throws {ExchangeError} `TooLarge`
 */
export async function read(response: IncomingMessage, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBytes)
      throw new ExchangeError('TooLarge', `the answer is over the limit of ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function begin(outgoing: Outgoing): Promise<IncomingMessage> {
  const { url, method, headers, body, agent, tls, signal } = outgoing;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = url.protocol === 'https:' ? secureRequest : plainRequest;
  const length = body === undefined ? {} : { 'content-length': `${Buffer.byteLength(body)}` };
  const asking = request(
    url,
    {
      ...tls,
      method,
      headers: { ...headers, ...length },
      agent: agent ?? false,
      ...(signal ? { signal } : {}),
    },
    resolve,
  );
  asking.on('error', (error: NodeJS.ErrnoException) => {
    const stale = asking.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
    reject(stale ? new ExchangeError(error.code ?? '', error.message, true) : error);
  });
  asking.end(body);
  return promise;
}

function named(error: unknown, late: boolean, timeoutMs: number): ExchangeError {
  if (error instanceof ExchangeError) return error;
  if (late) return new ExchangeError('Timeout', `no answer within ${timeoutMs / 1000} s`);
  const { code, message } = error as NodeJS.ErrnoException;
  // Several addresses that all failed: the message is empty, the code is not.
  return new ExchangeError(code ?? 'Failed', message || (code ?? 'failed'));
}
