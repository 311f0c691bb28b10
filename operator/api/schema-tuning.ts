import { map, record, rule, type Schema, telling, text } from './json-schema.ts';

/** `tuning` of the spec. Pure. */

/** Never safe in any version of Kubernetes; so the API server itself can say it. */
const UNSAFE = [
  'net.core.somaxconn',
  'net.ipv4.tcp_migrate_req',
  'net.ipv4.tcp_max_syn_backlog',
  'net.ipv4.tcp_tw_reuse',
];

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
      text('', { pattern: '^(-?[0-9]+([ \\t]+-?[0-9]+)*)?$', maxLength: 128 }),
      { default: {}, maxProperties: 64 },
    ),
  },
  {
    default: {},
    'x-kubernetes-validations': [
      telling(
        "self.sysctls.all(name, name.matches('^net\\\\.[a-z0-9_]+(\\\\.[a-z0-9_-]+)+$') && size(name) <= 128)",
        "'tuning.sysctls has ' + self.sysctls.filter(name, !name.matches('^net\\\\.[a-z0-9_]+(\\\\.[a-z0-9_-]+)+$'))[0] + '; only net.… belongs to a pod'",
        'tuning.sysctls takes only net.… settings: others belong to the node',
      ),
      rule(
        "self.mode != 'Off' || size(self.sysctls) == 0",
        'tuning.sysctls is set though tuning.mode is Off',
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
