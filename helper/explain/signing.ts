/** Explains how our agent signs with a key: where the key is, its certificate, its hosts and rules. Pure. */
import { Failure } from '../../src/errors.ts';
import type { OfferedKey } from '../../src/host/explain.ts';
import { hostLine } from '../../src/host/host-line.ts';
import { durationText, extensionText } from '../../src/keys/key-line-text.ts';
import type { SigningKeyLine } from '../../src/keys/key-line.ts';
import { patternText, type Remote } from '../../src/keys/routes.ts';
import { hostName, hostNames } from '../../src/ssh/repository-hosts.ts';

/** As `explain --json` prints it. */
export interface SignedBy {
  /** Where the private key is: it stays in KMS, is made in memory, or is read from a store. */
  readonly privateKey: 'kms' | 'new' | 'stored';
  /** The hosts that it may sign for, as known_hosts names them. */
  readonly hosts: readonly string[];
  readonly unbound: 'refuse' | 'allow';
  readonly forwarding: 'refuse' | 'allow';
  readonly uses: number | null;
  readonly certificate: SignedCertificate | null;
}

interface SignedCertificate {
  readonly authority: string;
  readonly principals: readonly string[];
  /** Seconds. */
  readonly valid: number;
  readonly extensions: readonly string[];
  readonly sourceAddress: readonly string[] | null;
  readonly forceCommand: string | null;
}

/** undefined for a key of OpenSSH's agent, and for wrong settings. */
export function signingLineOf({ of, line }: OfferedKey): SigningKeyLine | undefined {
  if (line || typeof of !== 'object' || !of.signs) return line;
  try {
    const parsed = hostLine(of);
    return parsed.signing ? parsed : undefined;
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

export function signedBy({ reference, repositories, signing }: SigningKeyLine): SignedBy {
  const { kind } = reference;
  const { unbound, forwarding, uses = null, certificate } = signing;
  return {
    privateKey: kind === 'kms' || kind === 'new' ? kind : 'stored',
    hosts: hostNames(repositories),
    ...{ unbound, forwarding, uses },
    certificate: certificate
      ? {
          ...{ authority: certificate.authority.text, principals: certificate.principals },
          ...{ valid: certificate.valid, extensions: certificate.extensions.map(extensionText) },
          sourceAddress: certificate.sourceAddress ?? null,
          forceCommand: certificate.forceCommand ?? null,
        }
      : null,
  };
}

const wherePrivate: Readonly<Record<SignedBy['privateKey'], string>> = {
  kms: 'the key stays in KMS',
  new: 'the key is made in memory for it',
  stored: 'the stored key is read for it',
};

/** Lines for people. */
export function signedByText({ privateKey, hosts, certificate, ...rules }: SignedBy): string[] {
  const { unbound, forwarding, uses } = rules;
  const others = [
    ...(unbound === 'allow' ? ['clients that name no host (unbound=allow)'] : []),
    ...(forwarding === 'allow' ? ['forwarded connections (forwarding=allow)'] : []),
  ];
  return [
    `signed by: our agent in front of ssh-agent; ${wherePrivate[privateKey]}`,
    ...(certificate ? [`certificate: ${certificateText(certificate)}`] : []),
    `signs for: ${[hosts.join(', '), ...others].join('; and ')}`,
    ...(uses === null
      ? []
      : [`ends: after ${uses} ${uses === 1 ? 'signature' : 'signatures'} (uses=${uses})`]),
  ];
}

function certificateText(certificate: SignedCertificate): string {
  const { authority, principals, valid, extensions, sourceAddress, forceCommand } = certificate;
  return [
    `${authority} signs one for ${principals.join(', ')}, valid for ${durationText(valid)}`,
    ...(extensions.length > 0 ? [`extensions ${extensions.join(', ')}`] : []),
    ...(sourceAddress ? [`from ${sourceAddress.join(', ')}`] : []),
    ...(forceCommand === null ? [] : [`for the command ${forceCommand}`]),
  ].join('; ');
}

/** Why the agent will not sign for this destination; undefined: it will. A section that names it is for it. */
export function refusalFor(
  { reference: { text }, repositories, signing }: SigningKeyLine,
  remote: Remote,
): string | undefined {
  const name = hostName(remote);
  if (repositories.length > 0 || hostNames([]).includes(name.toLowerCase())) return undefined;
  const { host, port } = remote;
  const section = patternText({ host, path: '', ...(port !== undefined && port !== 22 && { port }) });
  const more = signing.unbound === 'allow' ? ', if the client names the host' : '';
  return `ssm-ssh will fail: SIGNATURE_REFUSED: ${text} names no repository, so it signs for the public git hosts, and not for ${name}${more}; name the host: a section [ssm "${section}"], or a repository in the line of the key`;
}
