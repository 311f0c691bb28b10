import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { HttpConnection } from '../connections/http.ts';
import { LongshoreError, messageOf, misuse } from '../errors.ts';
import type { Request } from '../http/request.ts';
import { Response } from '../http/response.ts';
import { log } from '../log.ts';
import { Worker } from '../worker.ts';
import type { WorkerOptions } from '../worker-options.ts';
import { GatewayClient } from './client.ts';
import type { GatewayClientOptions } from './client-base.ts';
import { CALLS, fieldsOf, WrongField } from './push-calls.ts';

/** What a `PushServer` can be told. */
export type PushServerOptions = Omit<WorkerOptions, 'http' | 'websocket'> &
  GatewayClientOptions & {
    /** What callers have to send as `Authorization: Bearer …`; at least 16 characters. */
    readonly token?: string;
    /** File with it; read again at every call, so a rotated Secret is picked up. */
    readonly tokenFile?: string;
  };

/** Longest body of a call: bounded well above any message that is meant for many. */
const BODY_MAX = 1_048_576;
const TOKEN_MIN = 16;

/**
 * The calls of `GatewayClient` for programs in other languages: `POST /NAME` with a JSON object of the arguments by
 * name, and a bearer token. The answer is `{"result": …}`, or `{"error": "…"}` with a status that fits.
 *
 * @example
 * new PushServer('http://127.0.0.1:7273', { tokenFile: '/etc/push/token' });
 */
export class PushServer extends Worker<`http://${string}`> {
  readonly #gateway: GatewayClient;
  readonly #token: string | undefined;
  readonly #tokenFile: string | undefined;

  /** @throws {TypeError|RangeError} `OPTION_INVALID`, also without a token */
  constructor(address: `http://${string}`, options: PushServerOptions) {
    const { token, tokenFile, gateways, secret, tls, timeout, ...own } = options;
    if (token === undefined && tokenFile === undefined)
      throw misuse('OPTION_INVALID', 'a PushServer needs the option "token" or "tokenFile"');
    if (token !== undefined && token.length < TOKEN_MIN)
      throw misuse('OPTION_INVALID', `token has less than ${TOKEN_MIN} characters`, 'range');
    super(address, { name: 'PushServer', maxPackageSize: BODY_MAX, ...own });
    this.#token = token;
    this.#tokenFile = tokenFile;
    this.#gateway = new GatewayClient({
      ...(gateways === undefined ? {} : { gateways }),
      ...(secret === undefined ? {} : { secret }),
      ...(tls === undefined ? {} : { tls }),
      ...(timeout === undefined ? {} : { timeout }),
    });
    this.onWorkerStart = () => void this.#gateway.connect();
    this.onMessage = async (connection, request) => {
      (connection as HttpConnection).send(await this.#answer(request as Request));
    };
  }

  async #answer(request: Request): Promise<Response> {
    const name = request.path.slice(1);
    const call = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
    if (!this.#allows(request))
      return refusal(401, 'a bearer token is needed, or this one is wrong');
    if (!call) return refusal(404, `no such call; known: ${Object.keys(CALLS).join(', ')}`);
    if (request.method !== 'POST') return refusal(405, 'calls are made by POST');
    try {
      const fields = fieldsOf(name, bodyOf(request));
      return Response.json({ result: await call.run(this.#gateway as never, fields) });
    } catch (error) {
      return failure(error);
    }
  }

  #allows(request: Request): boolean {
    const given = /^Bearer (.+)$/i.exec(request.header('authorization') ?? '')?.[1];
    const expected = this.#expected();
    return given !== undefined && expected !== undefined && sameText(given, expected);
  }

  #expected(): string | undefined {
    if (this.#tokenFile === undefined) return this.#token;
    try {
      return readFileSync(this.#tokenFile, 'utf8').trim() || undefined;
    } catch (error) {
      log.error(`tokenFile: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** Ends the connections to the gateways. For programs without `runAll`. */
  async close(): Promise<void> {
    await this.unlisten();
    this.#gateway.close();
  }
}

function bodyOf(request: Request): unknown {
  const text = request.text();
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WrongField('body', `is no JSON: ${messageOf(error)}`);
  }
}

const refusal = (status: number, error: string): Response => Response.json({ error }, { status });

/** The caller's mistake names its field; gateways that do not answer are no mistake of his. */
function failure(error: unknown): Response {
  if (error instanceof WrongField)
    return Response.json({ error: error.message, field: error.field }, { status: 400 });
  if (error instanceof LongshoreError) {
    const { partial } = error as LongshoreError & { partial?: unknown };
    return Response.json({ error: error.message, partial }, { status: 503 });
  }
  log.error(`PushServer: ${messageOf(error)}`);
  return refusal(500, 'something went wrong; the log has it');
}

/** Takes the same time for any wrong text, its length included. */
function sameText(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
