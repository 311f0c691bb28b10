import type { IncomingHttpHeaders } from 'node:http';

/** What a request is made of; an `http.IncomingMessage` is one. */
export type RequestHead = {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
};

const NO_BODY: Buffer = Buffer.alloc(0);

/**
 * One HTTP request with its whole body, or the request that opened a WebSocket. Everything is parsed when asked for.
 */
export class Request {
  /** In capitals. */
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly target: string;
  /** By lower-case name; several of one name are joined as `node:http` does. */
  readonly headers: IncomingHttpHeaders;
  /** The body as it came; empty if there was none. */
  readonly body: Buffer;
  #query: URLSearchParams | undefined = undefined;
  #cookies: Record<string, string> | undefined = undefined;

  constructor(head: RequestHead, body: Buffer = NO_BODY) {
    this.method = head.method ?? 'GET';
    this.target = head.url ?? '/';
    this.headers = head.headers;
    this.body = body;
  }

  /** The target without its query; not decoded. */
  get path(): string {
    const end = this.target.indexOf('?');
    return end === -1 ? this.target : this.target.slice(0, end);
  }

  /** What follows the `?`, decoded. */
  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.target.slice(this.path.length + 1));
    return this.#query;
  }

  /** One header's value, whatever the case of `name`; a list as `node:http` gives it is joined with a comma. */
  header(name: string): string | undefined {
    const value = this.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** The cookies, decoded; the first of a name counts (RFC 6265 section 5.4 puts the closest path first). */
  get cookies(): Readonly<Record<string, string>> {
    this.#cookies ??= parseCookies(this.headers.cookie);
    return this.#cookies;
  }

  /** The body as UTF-8 text. */
  text(): string {
    return this.body.toString();
  }

  /**
   * The body as JSON.
   *
   * @throws {SyntaxError} if it is none
   */
  json(): unknown {
    return JSON.parse(this.text());
  }

  /**
   * The fields and files of a form, `application/x-www-form-urlencoded` or `multipart/form-data`. Files are `File`s of
   * the web platform, in memory, so they are bounded by the Worker's `maxPackageSize` as the body is.
   *
   * @throws {TypeError} if the body is no form
   */
  form(): Promise<FormData> {
    const type = this.header('content-type') ?? '';
    const body = new Uint8Array(this.body);
    return new globalThis.Response(body, { headers: { 'content-type': type } }).formData();
  }
}

function parseCookies(header: string | undefined): Record<string, string> {
  const cookies: Record<string, string> = Object.create(null);
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim();
    if (at === -1 || name === '' || name in cookies) continue;
    cookies[name] = decoded(
      pair
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1'),
    );
  }
  return cookies;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
