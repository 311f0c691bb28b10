// TLS: the option `ssl` makes http into https and websocket into wss. It goes with tcp, text and frame just as well.
//
// Two Workers in one program, each with a port and processes of its own. The certificate files are read again when
// they change, so a renewed certificate needs no restart.
//
//     openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
//       -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem
//     npx longshore start examples/tls.ts
//
// Try it:
//
//     curl --cacert cert.pem https://localhost:8443
//     NODE_EXTRA_CA_CERTS=cert.pem npx wscat -c wss://localhost:8444
//
// Environment: HTTPS_PORT (default 8443), WSS_PORT (default 8444)
//              SSL_CERT, SSL_KEY   PEM files (default cert.pem and key.pem in the current folder)
import { Worker } from 'longshore';

const HTTPS_PORT = Number(process.env['HTTPS_PORT'] ?? 8443);
const WSS_PORT = Number(process.env['WSS_PORT'] ?? 8444);
const ssl = {
  cert: process.env['SSL_CERT'] ?? 'cert.pem',
  key: process.env['SSL_KEY'] ?? 'key.pem',
};

const https = new Worker(`http://0.0.0.0:${HTTPS_PORT}`, { name: 'https', ssl });
https.onMessage = (connection, request) =>
  connection.send(`You asked for ${request.path} over ${connection.transport}.\n`);

const wss = new Worker(`websocket://0.0.0.0:${WSS_PORT}`, { name: 'wss', ssl });
wss.onMessage = (connection, message) =>
  connection.send(`You said ${message} over ${connection.transport}.`);

await Worker.runAll();
