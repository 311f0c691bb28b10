import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { newCertificate } from '../support/certificate.ts';
import { CLEAN, endPrograms, freePort, start } from '../support/program.ts';
import { closeClients, httpsText, webSocket } from './clients.ts';

jest.setTimeout(60_000);
afterEach(closeClients);
afterAll(endPrograms);

describe('the TLS example', () => {
  it('serves https and wss in processes of their own, and stops cleanly', async () => {
    await using certificate = newCertificate();
    const [https, wss] = [await freePort(), await freePort()];
    const program = await start('examples/tls.ts', {
      HTTPS_PORT: `${https}`,
      WSS_PORT: `${wss}`,
      SSL_CERT: certificate.cert,
      SSL_KEY: certificate.key,
    });
    expect(await httpsText(https, '/here', certificate.ca)).toBe('You asked for /here over ssl.\n');
    const talk = await webSocket(`wss://127.0.0.1:${wss}`, { ca: certificate.ca });
    expect(await talk.send('ahoy').next()).toBe('You said ahoy over ssl.');
    const names = (await program.status()).processes.map(({ worker_name }) => worker_name);
    expect(names).toEqual(['https', 'wss']);
    expect(await program.stop()).toEqual(CLEAN);
  });

  it('does not start without its certificate, and says which file it looked for', async () => {
    const [https, wss] = [await freePort(), await freePort()];
    const SSL_CERT = '/nowhere/cert.pem';
    const env = { HTTPS_PORT: `${https}`, WSS_PORT: `${wss}`, SSL_CERT };
    await expect(start('examples/tls.ts', env)).rejects.toThrow(
      /can never start: ssl: .*\/nowhere\/cert\.pem/,
    );
  });
});
