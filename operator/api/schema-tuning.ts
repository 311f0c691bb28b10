import { map, record, rule, type Schema, shaped, telling, text } from './json-schema.ts';

/** `tuning` of the spec. Pure. */

/** Never safe in any version of Kubernetes; so the API server itself can say it. */
const UNSAFE = [
  'net.core.somaxconn',
  'net.ipv4.tcp_migrate_req',
  'net.ipv4.tcp_max_syn_backlog',
  'net.ipv4.tcp_tw_reuse',
];

const NUMBERS = '^(-?[0-9]+([ \\t]+-?[0-9]+)*)?$';
/** Whether a name is one of the network, in CEL. */
const isOfPod = "name.matches('^net\\\\.[a-z0-9_]+(\\\\.[a-z0-9_-]+)+$') && size(name) <= 128";

export const tuning: Schema = record(
  'Kernel settings of the pods. What cannot be set is left out and said in the condition TuningApplied.',
  {
    mode: text(
      'Safe: what Kubernetes allows every pod. UserNamespace: everything in the network namespace, by an init container ' +
        'without rights on the node; needs Kubernetes 1.33 and a runtime with user namespaces. KubeletAllowed: what the ' +
        'kubelets are started with in allowedUnsafeSysctls. Privileged: by a privileged init container. ' +
        '"Off": nothing; in quotes, since YAML takes it for false.',
      { enum: ['Safe', 'UserNamespace', 'KubeletAllowed', 'Privileged', 'Off'], default: 'Safe' },
    ),
    sysctls: map(
      "Beside the mode's own; an empty text takes one of those away.",
      text('', {
        pattern: NUMBERS,
        maxLength: 128,
        'x-kubernetes-validations': [
          shaped(NUMBERS, 'whole numbers with blanks in between, as a text in quotes'),
        ],
      }),
      { default: {}, maxProperties: 64 },
    ),
  },
  {
    default: {},
    'x-kubernetes-validations': [
      telling(
        `self.sysctls.all(name, ${isOfPod})`,
        `'tuning.sysctls has ' + self.sysctls.filter(name, !(${isOfPod}))[0] + '; only net.… belongs to a pod'`,
        'tuning.sysctls has another name than net.…; only net.… belongs to a pod',
      ),
      telling(
        "self.mode != 'Off' || size(self.sysctls) == 0",
        "'tuning.sysctls has ' + self.sysctls.map(name, name)[0] + ' though tuning.mode is Off; take it out or choose a mode'",
        'tuning.sysctls is set though tuning.mode is Off; take it out or choose a mode',
      ),
      ...UNSAFE.map((name) =>
        rule(
          `self.mode != 'Safe' || !('${name}' in self.sysctls) || self.sysctls['${name}'] == ''`,
          `tuning.sysctls has ${name}, which no Kubernetes allows in mode Safe; use mode UserNamespace`,
        ),
      ),
    ],
  },
);
