import type { OutgoingHttpHeaders } from 'node:http';
import { misuse } from '../errors.ts';

/** Attributes of a cookie (RFC 6265 section 4.1). */
export type CookieOptions = {
  /** Seconds it lives; without it until the browser ends. 0 deletes it. */
  readonly maxAge?: number;
  readonly path?: string;
  readonly domain?: string;
  readonly secure?: boolean;
  readonly httpOnly?: boolean;
  readonly sameSite?: 'Strict' | 'Lax' | 'None';
};

/** Status, headers and cookies of an answer. */
export type ResponseOptions = { readonly status?: number; readonly headers?: OutgoingHttpHeaders };

/**
 * An HTTP answer, sent with `connection.send(response)`. A string body is `text/html;charset=utf-8` unless a header
 * says otherwise.
 */
export class Response {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Uint8Array;
  readonly #cookies: string[] = [];

  constructor(
    body: string | Uint8Array = '',
    { status = 200, headers = {} }: ResponseOptions = {},
  ) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw misuse('OPTION_INVALID', `status ${status} is not between 200 and 599`, 'range');
    }
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** An answer in JSON. */
  static json(value: unknown, options: ResponseOptions = {}): Response {
    const headers = { 'content-type': 'application/json', ...options.headers };
    return new Response(JSON.stringify(value), { ...options, headers });
  }

  /** Sends the client elsewhere. */
  static redirect(location: string, status = 302): Response {
    return new Response('', { status, headers: { location } });
  }

  /**
   * Adds a cookie; gives the response back.
   *
   * @throws {TypeError} `OPTION_INVALID` if the name is not a token (RFC 9110 section 5.6.2)
   */
  cookie(name: string, value: string, options: CookieOptions = {}): this {
    this.#cookies.push(cookieLine(name, value, options));
    return this;
  }

  /** @internal the headers with the cookies among them */
  allHeaders(): OutgoingHttpHeaders {
    if (this.#cookies.length === 0) return this.headers;
    const name =
      Object.keys(this.headers).find((each) => each.toLowerCase() === 'set-cookie') ?? 'set-cookie';
    const own = [this.headers[name] ?? []].flat().map(String);
    return { ...this.headers, [name]: [...own, ...this.#cookies] };
  }
}

function cookieLine(name: string, value: string, options: CookieOptions): string {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
    throw misuse('OPTION_INVALID', `"${name}" is not a cookie name`);
  }
  const parts = [`${name}=${encodeURIComponent(value)}`, `Path=${attribute(options.path ?? '/')}`];
  if (options.maxAge !== undefined) parts.push(`Max-Age=${Math.trunc(options.maxAge)}`);
  if (options.domain !== undefined) parts.push(`Domain=${attribute(options.domain)}`);
  if (options.sameSite) parts.push(`SameSite=${options.sameSite}`);
  if (options.secure) parts.push('Secure');
  if (options.httpOnly) parts.push('HttpOnly');
  return parts.join('; ');
}

/** A value that stays one attribute: no `;` that would begin another. Line breaks are refused by `node:http`. */
function attribute(value: string): string {
  if (value.includes(';')) throw misuse('OPTION_INVALID', `"${value}" contains a ";"`);
  return value;
}
