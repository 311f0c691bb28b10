import { realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import sendFile from 'send';
import type { HttpConnection } from '../connections/http.ts';
import { misuse } from '../errors.ts';
import type { Request } from './request.ts';
import { Response } from './response.ts';

export type StaticOptions = {
  /** Header lines of every file's answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** File below the root that is sent, with 404, when there is none; default: a line of text. */
  readonly custom404?: string;
  /** Seconds that clients may keep a file without asking. Default 0: they ask each time, and get 304. */
  readonly maxAge?: number;
};

/** Answers one request with a file; for `onMessage` of HTTP Workers and `onRequest` of WebSocket Workers. */
export type FileHandler = (connection: HttpConnection, request: Request) => Promise<void>;

/**
 * Serves the files of a folder: types by extension, `index.html` for folders, ranges, conditional requests (ETag and
 * Last-Modified). Dot files are not served, and nothing outside the folder is, also not through a symbolic link.
 *
 * @throws {TypeError} `OPTION_INVALID` if the folder's name is empty
 */
export function staticFiles(root: string, options: StaticOptions = {}): FileHandler {
  if (root === '') throw misuse('OPTION_INVALID', 'staticFiles needs a folder');
  const folder = resolve(root);
  return async (connection, request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      connection.send(
        new Response('405 Method Not Allowed\n', { status: 405, headers: { allow: 'GET, HEAD' } }),
      );
      return;
    }
    if (await leadsOut(folder, request.path)) notFound(connection);
    else await deliver(connection, request, { folder, options });
  };
}

/** Whether a path that exists lies, links resolved, outside the folder. */
async function leadsOut(folder: string, path: string): Promise<boolean> {
  try {
    const [root, file] = await Promise.all([
      realpath(folder),
      realpath(resolve(folder, `.${decodeURIComponent(path)}`)),
    ]);
    return file !== root && !file.startsWith(root.endsWith(sep) ? root : root + sep);
  } catch {
    // No such file, or not decodable: `send` says so.
    return false;
  }
}

function deliver(
  connection: HttpConnection,
  request: Request,
  { folder, options }: { folder: string; options: StaticOptions },
): Promise<void> {
  const exchange = connection.exchange;
  const { promise, resolve: done } = Promise.withResolvers<void>();
  if (!exchange) return Promise.resolve();
  const { message, response } = exchange;
  response.on('close', done);
  const stream = sendFile(message, request.path, {
    root: folder,
    dotfiles: 'ignore',
    maxAge: (options.maxAge ?? 0) * 1000,
  });
  stream.on('headers', (headers) => {
    for (const [name, value] of Object.entries(options.headers ?? {}))
      headers.setHeader(name, value);
  });
  // The path of a folder without its slash: only ever to ourselves, never to `//elsewhere`.
  stream.on('directory', () => connection.send(Response.redirect(withSlash(request), 301)));
  stream.on('error', (error: Error & { status?: number }) => {
    if (response.headersSent) response.destroy();
    else if (error.status === 404 && options.custom404 !== undefined)
      sendCustom(connection, folder, options.custom404);
    else if (error.status === 404) notFound(connection);
    else
      connection.send(
        new Response(`${error.status ?? 500}\n`, {
          status: error.status ?? 500,
          headers: rangeOf(error),
        }),
      );
  });
  stream.pipe(response);
  return promise;
}

function withSlash({ path, target }: Request): string {
  return `/${path.replace(/^\/+/, '')}/${target.slice(path.length)}`;
}

/** A range that cannot be satisfied is answered with the size (RFC 9110 section 15.5.17). */
function rangeOf(error: object): Record<string, string> {
  const { headers } = error as { headers?: Record<string, string> };
  const range = headers?.['Content-Range'];
  return range === undefined ? {} : { 'content-range': range };
}

function sendCustom(connection: HttpConnection, folder: string, file: string): void {
  const exchange = connection.exchange;
  if (!exchange) return;
  const { message, response } = exchange;
  response.statusCode = 404;
  const stream = sendFile(message, `/${file}`, {
    root: folder,
    etag: false,
    lastModified: false,
    acceptRanges: false,
  });
  stream.on('error', () => notFound(connection));
  stream.pipe(response);
}

function notFound(connection: HttpConnection): void {
  connection.send(
    new Response('404 Not Found\n', { status: 404, headers: { 'content-type': 'text/plain' } }),
  );
}
