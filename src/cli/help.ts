/** What the command explains about itself. */

export const HELP = `longshore - long-lived socket servers in many processes

  longshore start FILE        run the program; Ctrl+C stops it
  longshore stop FILE         stop it at once; -g: drain it first
  longshore restart FILE      stop, then start
  longshore reload FILE       replace its processes one after the other, new code included; -g: let connections live on
  longshore status [FILE]     what its processes do; without FILE: which programs run
  longshore connections FILE  its connections, one a line
  longshore trace FILE [PROCESS]
                              system calls of one process, with every file descriptor explained

  longshore operator          the Kubernetes operator

  longshore COMMAND --help    the options of a command
  longshore --version

A first program, app.ts:

  import { Worker } from 'longshore';
  const chat = new Worker('websocket://0.0.0.0:7272', { name: 'chat', count: 4 });
  chat.onMessage = (connection, data) => {
    for (const each of chat.connections.values()) each.send(data);
  };
  await Worker.runAll();
`;

const ADMIN = `  --admin HOST:PORT       metrics, probes and admin calls (default 127.0.0.1:9464; off: none)`;

export const COMMAND_HELP: Readonly<Record<string, string>> = {
  start: `longshore start FILE [OPTIONS] [-- ARGUMENTS OF THE PROGRAM]

  -d, --daemon            in the background; returns when the processes are ready
  --log FILE              where a daemon's output goes (default: in the folder that "status" names)
${ADMIN}
  --dev                   reload when a file beside the program changes
  --drain-window S        seconds over which SIGTERM and stop -g spread their closes (default 20)
  --drain-propagation S   seconds to keep accepting before that (default 0)
  --graceful S            seconds that connections may live on after reload -g (default 300)

Signals to the master: SIGTERM drains, SIGINT stops at once, SIGUSR2 reloads.
Exit codes: 0 stopped, 1 failed or running already, 2 wrong usage, 78 can never start as it is.
`,
  stop: `longshore stop FILE [-g]

  -g, --graceful          drain: connections are closed at an even pace, see start --drain-window
`,
  restart: `longshore restart FILE [-g] [OPTIONS OF start]

  -g, --graceful          drain before stopping
`,
  reload: `longshore reload FILE [-g]

Each process is replaced by a new one, which listens before the old one leaves. If the new code does not start, the old
processes stay and the command says why. Returns when the reload is through.

  -g, --graceful          connections of the old processes live on, see start --graceful
`,
  status: `longshore status [FILE] [OPTIONS]

  -w, --watch             refresh each second, with requests per second (qps)
  --json                  as JSON

Columns: docs/status-and-metrics.md. [busy]: the process did not answer within half a second; look at it with
"longshore trace FILE PID".
`,
  connections: `longshore connections FILE [OPTIONS]

  --limit N               at most so many lines (default 1000)
  --json                  as JSON
`,
  trace: `longshore trace FILE [PROCESS] [OPTIONS]

PROCESS is a pid, a worker's name, or NAME#SLOT; without it the busiest process is taken.

  --seconds S             how long (default 5; 0: until Ctrl+C)
  --all                   also what only keeps the runtime going: timers, wake-ups, reports to the master

Needs strace and the right to attach; if one is missing the command says how to get it.
`,
  tune: `longshore tune NAME=VALUE ...

Writes kernel settings (net.…) of this network namespace, as in net.core.somaxconn=65535; what cannot be written is said
and left. The Kubernetes operator runs it in pods; docs/tuning.md.
`,
  operator: `longshore operator

Runs the Kubernetes operator, with the service account of its pod or the cluster of $KUBECONFIG. It takes its settings
from the environment:

  LONGSHORE_OPERATOR_NAMESPACES        only these, with commas between (default: all)
  LONGSHORE_OPERATOR_LEASE_NAMESPACE   where the Lease for the election is (default: default)
  LONGSHORE_OPERATOR_PORT              probes and metrics (default 9465)
`,
};
