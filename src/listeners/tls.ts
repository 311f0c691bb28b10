import { readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
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
export class Certificate {
  readonly #options: SslOptions;
  readonly #timer: NodeJS.Timeout;
  #stamp: string;
  #context: SecureContext;

  /** @throws {LongshoreError} `START_FAILED` if a file is missing or the two do not belong together */
  constructor(options: SslOptions) {
    this.#options = options;
    try {
      this.#stamp = stampOf(options);
      this.#context = read(options);
    } catch (error) {
      throw new LongshoreError(
        'START_FAILED',
        `ssl: ${messageOf(error)} (cert ${options.cert}, key ${options.key})`,
        { cause: error },
      );
    }
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  get context(): SecureContext {
    return this.#context;
  }

  // A renewal writes two files; between the two they do not fit, so a failure only means: look again.
  #look(): void {
    try {
      const stamp = stampOf(this.#options);
      if (stamp === this.#stamp) return;
      this.#context = read(this.#options);
      this.#stamp = stamp;
      log.info(`ssl: new certificate from ${this.#options.cert}`);
    } catch (error) {
      log.warn(`ssl: the old certificate stays in use: ${messageOf(error)}`);
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

function read({ cert, key, ca, passphrase }: SslOptions): SecureContext {
  return createSecureContext({
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
}

export type TlsStage = {
  readonly certificate: Certificate;
  readonly ssl: SslOptions;
  /** Protocols to offer by ALPN; none for plain streams. */
  readonly alpn: readonly string[];
  readonly timeoutMs: number;
};

/**
 * Does the TLS handshake on an accepted socket.
 *
 * @param done called with the secured socket; never if the handshake fails or takes longer than `timeoutMs`
 */
export function secure(socket: Socket, stage: TlsStage, done: (socket: TLSSocket) => void): void {
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext: stage.certificate.context,
    ...(stage.ssl.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
    ...(stage.alpn.length === 0 ? {} : { ALPNProtocols: [...stage.alpn] }),
  });
  const timer = setTimeout(() => secured.destroy(), stage.timeoutMs);
  const failed = () => {
    tally.counts.packet_err += 1;
    socket.destroy();
  };
  secured.once('error', failed);
  secured.once('close', () => clearTimeout(timer));
  secured.once('secure', () => {
    clearTimeout(timer);
    if (stage.ssl.ca !== undefined && !secured.authorized) {
      failed();
      return;
    }
    secured.off('error', failed);
    done(secured);
  });
}
