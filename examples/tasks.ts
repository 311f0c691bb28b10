// Asynchronous tasks: long work is done by processes of its own, so the one that talks to clients is never blocked.
// It opens a connection to a task process, hands the job over as a line of JSON, and answers its client when the result
// is there. The kernel chooses the process, by chance: run a few more than the jobs that come at once.
//
//     npx longshore start examples/tasks.ts
//
// Try it: how many prime numbers are there below …?
//
//     curl 'http://127.0.0.1:2352/?below=1000000'
//
// Environment: PORT (default 2352), TASK_PORT (default 12345), COUNT (task processes, default 4)
import { AsyncTcpConnection, Response, Worker } from 'longshore';

const PORT = Number(process.env['PORT'] ?? 2352);
const TASK_PORT = Number(process.env['TASK_PORT'] ?? 12345);
const COUNT = Number(process.env['COUNT'] ?? 4);
const MOST = 50_000_000;

type Job = { readonly below: number };
const tasks = new Worker(`text://127.0.0.1:${TASK_PORT}`, { name: 'tasks', count: COUNT });
tasks.onMessage = (connection, line) => {
  const { below } = JSON.parse(line) as Job;
  connection.send(JSON.stringify({ below, primes: primes(below), process: process.pid }));
};

const web = new Worker(`http://0.0.0.0:${PORT}`, { name: 'web' });
web.onMessage = async (connection, request) => {
  const below = Number(request.query.get('below') ?? 1_000_000);
  if (Number.isInteger(below) && below >= 0 && below <= MOST)
    connection.send(`${await result({ below })}\n`);
  else connection.send(new Response(`below: 0 to ${MOST}\n`, { status: 400 }));
};

await Worker.runAll();

/** Has a task process do a job. What is rejected here becomes a 500 for the client and a line in the log. */
function result(job: Job): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const task = new AsyncTcpConnection<string, string>(`text://127.0.0.1:${TASK_PORT}`);
  task.onMessage = (_, line) => {
    resolve(line);
    task.close();
  };
  task.onError = (_, code, message) => reject(new Error(`${code}: ${message}`));
  task.onClose = () => reject(new Error('the task process ended before it answered'));
  task.send(JSON.stringify(job));
  task.connect();
  return promise;
}

function primes(below: number): number {
  const composite = new Uint8Array(below);
  let count = 0;
  for (let n = 2; n < below; n += 1) {
    if (composite[n] === 1) continue;
    count += 1;
    for (let multiple = n * n; multiple < below; multiple += n) composite[multiple] = 1;
  }
  return count;
}
