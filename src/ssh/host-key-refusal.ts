/** What ssh says where it does not accept the key of a host → which host, why, and what to do. Pure. */
import { Failure } from '../errors.ts';
import { pathForShell, quoteForShell, quoted } from '../process/quote.ts';
import { pinnedHosts } from './known-hosts.ts';

export interface HostKeyRefusal {
  /** As known_hosts has it: `git.example.com`, `[git.example.com]:2222`. */
  readonly host: string;
  /** The file, and the line in it, that has another key of the host; undefined: no file has one. */
  readonly old?: { readonly file: string; readonly line: string };
}

/** A name that is no option in a command that people copy: a URL of somebody else may have chosen it. */
const safe = String.raw`(\[?[\w.:][\w.:-]*\]?(?::\d+)?)`;
const unknownHost = new RegExp(
  String.raw`^No \S+ host key is known for ${safe} and you have requested strict`,
  'm',
);
const changedHost = new RegExp(
  String.raw`^(?:Host key|\S+ host key) for ${safe} has changed and you have requested strict`,
  'm',
);

/**
 * @param said standard error of ssh
 * @returns undefined where it ended for another reason, or for one that it explains itself (a revoked key)
 * @source OpenSSH's sshconnect.c, check_host_key()
 */
export function parseHostKeyRefusal(said: string): HostKeyRefusal | undefined {
  if (!/^Host key verification failed\.\r?$/m.test(said)) return undefined;
  const [, unknown] = unknownHost.exec(said) ?? [];
  if (unknown !== undefined) return { host: unknown };
  const [, changed] = changedHost.exec(said) ?? [];
  const [, file, line] = /^Offending \S+ key in (.+):(\d+)\r?$/m.exec(said) ?? [];
  return changed === undefined || file === undefined || line === undefined
    ? undefined
    : { host: changed, old: { file, line } };
}

/** Where people can add a line. */
export interface KnownHostsPlace {
  /** `job`: the action's input; `exec`: an option of the command; `host`: git's configuration. */
  readonly kind: 'job' | 'exec' | 'host';
  /** ssm.knownHosts, or its variable; empty where there is none. */
  readonly file: string;
  /** The folder of our own files of known hosts. */
  readonly own: string;
}

/** No hint takes what the network shows now for the host's key: whoever stands between would be trusted from then on. */
export function hostKeyFailure({ host, old }: HostKeyRefusal, place: KnownHostsPlace): Failure {
  const scan = scanOf(host);
  const shown = `${scan} | ssh-keygen -lf -`;
  if (old === undefined) {
    return new Failure('KNOWN_HOSTS_INVALID', `no key of ${host} is known`, {
      hint: `compare what ${shown} prints with the fingerprint that the host publishes. If it is the same: ${addLine(scan, place)}`,
    });
  }
  const { file, line } = old;
  const message = `the key of ${host} has changed: it is not the one in ${file}, line ${line}`;
  const isOwn = file.startsWith(`${place.own}/`);
  const removal = `ssh-keygen -R ${quoted(host)} -f ${pathForShell(file)}`;
  if (pinnedNames.has(host)) {
    const hint = isOwn
      ? `somebody may stand between. ${host} publishes the fingerprints of its keys on its web site: if they have changed, upgrade ssm-ssh-agent, which has the keys built in`
      : `the key of ${host} that is built in is used if this line is gone: ${removal}`;
    return new Failure('KNOWN_HOSTS_INVALID', message, { hint });
  }
  const replace =
    place.kind === 'job' && isOwn
      ? `replace the line of ${host} in the input known-hosts with what ${scan} prints`
      : isOwn && !file.endsWith('/known_hosts')
        ? addLine(scan, place)
        : `${removal}, then ${addLine(scan, place)}`;
  return new Failure('KNOWN_HOSTS_INVALID', message, {
    hint: `somebody may stand between: ask whoever runs the host for the fingerprint of its new key. Only if ${shown} prints it: ${replace}`,
  });
}

/** Those whose keys are built in. */
const pinnedNames = new Set(pinnedHosts.flatMap(({ names }) => names));

function scanOf(host: string): string {
  const [, name = host, port] = /^\[(.*)\]:(\d+)$/.exec(host) ?? [];
  return `ssh-keyscan ${port === undefined ? '' : `-p ${port} `}${quoteForShell(name)}`;
}

function addLine(scan: string, { kind, file }: KnownHostsPlace): string {
  if (kind === 'job') return `add the lines of ${scan} to the input known-hosts`;
  if (kind === 'exec') return `${scan} >>FILE, and pass --known-hosts FILE to exec`;
  if (file !== '') return `${scan} >>${pathForShell(file)}`;
  return `${scan} >>FILE, and ssm-ssh-agent setup --global --known-hosts FILE (or >>~/.ssh/known_hosts)`;
}
