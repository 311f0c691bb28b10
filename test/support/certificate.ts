import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A self-signed certificate for `localhost` and 127.0.0.1, in files that are gone when it is disposed of. */
export type TestCertificate = AsyncDisposable & {
  /** Paths of the PEM files. */
  readonly cert: string;
  readonly key: string;
  /** The certificate itself, for clients to trust. */
  readonly ca: Buffer;
};

/** Makes one with the `openssl` command. */
export function newCertificate(): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'longshore-certificate-'));
  const cert = join(folder, 'cert.pem');
  const key = join(folder, 'key.pem');
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const about = ['-subj', '/CN=localhost', '-addext', names, '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...about, '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  });
  return {
    cert,
    key,
    ca: readFileSync(cert),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
