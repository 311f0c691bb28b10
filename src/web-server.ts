import { misuse } from './errors.ts';
import { type FileHandler, type StaticOptions, staticFiles } from './http/static.ts';
import { Worker } from './worker.ts';
import type { WorkerOptions } from './worker-options.ts';

/**
 * A Worker that serves files, one folder for each host name.
 *
 * @example
 * const web = new WebServer('http://0.0.0.0:8080', { count: 2 });
 * web.addRoot('example.com', 'public');
 */
export class WebServer extends Worker<`http://${string}`> {
  readonly #sites = new Map<string, FileHandler>();

  constructor(address: `http://${string}`, options: WorkerOptions = {}) {
    super(address, { name: 'WebServer', ...options });
    this.onWorkerStart = () => {
      if (this.#sites.size === 0)
        throw misuse('OPTION_INVALID', 'the WebServer has no root: call addRoot(host, folder)');
    };
    this.onMessage = (connection, request) => {
      const host = (request.header('host') ?? '').replace(/:\d+$/, '').toLowerCase();
      const first = this.#sites.values().next().value as FileHandler;
      return (this.#sites.get(host) ?? first)(connection, request);
    };
  }

  /**
   * @param host name as in the Host header, without port; requests for no known host get the first root
   * @throws {TypeError} `OPTION_INVALID`
   */
  addRoot(host: string, folder: string, options: StaticOptions = {}): this {
    this.#sites.set(host.toLowerCase(), staticFiles(folder, options));
    return this;
  }
}
