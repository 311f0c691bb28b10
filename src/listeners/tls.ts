import { readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls';
import { tally } from '../connections/connection.ts';
import { LongshoreError, messageOf } from '../errors.ts';
import { log } from '../log.ts';

/** Certificate of a TLS listener. The files are read again when they change, without a restart. */
export type SslOptions = {
  /** File with the certificate chain in PEM, the server's own first. */
  readonly cert: string;
  /** File with the private key in PEM. */
  readonly key: string;
  readonly passphrase?: string;
  /** File with the authorities that client certificates must come from; with it, clients must have one. */
  readonly ca?: string;
};

/** How often the files are looked at. Two `stat` calls each time. */
const LOOK_MS = 1000;

/** The certificate in use, kept up to date with its files. */
class Certificate {
  readonly #options: SslOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #renewed: (context: SecureContextOptions) => void;
  #stamp: string;
  /** What was read at first. */
  readonly context: SecureContextOptions;

  /** @throws {LongshoreError} `START_FAILED` if a file is missing or the two do not belong together */
  constructor(options: SslOptions, renewed: (context: SecureContextOptions) => void) {
    this.#options = options;
    this.#renewed = renewed;
    try {
      this.#stamp = stampOf(options);
      this.context = read(options);
    } catch (error) {
      const files = `cert ${options.cert}, key ${options.key}`;
      throw new LongshoreError('START_FAILED', `ssl: ${messageOf(error)} (${files})`, {
        cause: error,
      });
    }
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** What was wrong the last time. */
  #said = '';

  // A renewal writes two files; between the two they do not fit, so a failure only means: look again.
  #look(): void {
    try {
      const stamp = stampOf(this.#options);
      if (stamp === this.#stamp) return;
      this.#renewed(read(this.#options));
      this.#stamp = stamp;
      this.#said = '';
      log.info(`ssl: new certificate from ${this.#options.cert}`);
    } catch (error) {
      const why = messageOf(error);
      // Once for each reason: it is looked at each second.
      if (why !== this.#said) log.warn(`ssl: the old certificate stays in use: ${why}`);
      this.#said = why;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function files({ cert, key, ca }: SslOptions): string[] {
  return ca === undefined ? [cert, key] : [cert, key, ca];
}

// Inode too: Kubernetes swaps a mounted Secret by a symbolic link.
const stampOf = (options: SslOptions): string =>
  files(options)
    .map((file) => statSync(file))
    .map(({ mtimeMs, ino, size }) => `${mtimeMs}/${ino}/${size}`)
    .join(' ');

/** The files' contents, once they are known to make a working context. */
function read({ cert, key, ca, passphrase }: SslOptions): SecureContextOptions {
  const context = {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  createSecureContext(context);
  return context;
}

export type TlsOptions = {
  readonly ssl: SslOptions;
  /** Protocols to offer by ALPN; none for plain streams. */
  readonly alpn: readonly string[];
  /** Longest handshake. */
  readonly timeoutMs: number;
};

/** Does the TLS handshakes of a port. */
export class TlsStage {
  readonly #server: Server;
  readonly #certificate: Certificate;
  /** What to do with a socket once it is secured: `node:tls` does not say which socket became which. */
  readonly #waiting = new Map<unknown, (secured: TLSSocket) => void>();

  /** @throws {LongshoreError} `START_FAILED` */
  constructor({ ssl, alpn, timeoutMs }: TlsOptions) {
    this.#certificate = new Certificate(ssl, (context) => this.#server.setSecureContext(context));
    this.#server = createServer({
      ...this.#certificate.context,
      handshakeTimeout: timeoutMs,
      ...(ssl.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
      ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
    });
    this.#server.on('secureConnection', (secured) =>
      this.#waiting.get(identityOf(secured))?.(secured),
    );
    this.#server.on('tlsClientError', (_, socket) => {
      tally.counts.packet_err += 1;
      socket.destroy();
    });
  }

  /** @param done called with the secured socket; never if the handshake fails or takes too long */
  secure(socket: Socket, done: (secured: TLSSocket) => void): void {
    const identity = identityOf(socket);
    this.#waiting.set(identity, (secured) => {
      this.#waiting.delete(identity);
      done(secured);
    });
    socket.once('close', () => this.#waiting.delete(identity));
    socket.on('error', () => {});
    this.#server.emit('connection', socket);
  }

  stop(): void {
    this.#certificate.stop();
  }
}

/** The peer's address, which both have. Unix sockets have none: there it is the socket that was secured. */
function identityOf(socket: Socket): unknown {
  const { remoteAddress, remotePort } = socket;
  if (remotePort !== undefined) return `${remoteAddress} ${remotePort}`;
  return (socket as Socket & { _parent?: Socket | null })._parent ?? socket;
}
