/** What the options of rotate mean, and which of them are wrong together. Pure. */
import { Failure } from '../../src/errors.ts';
import { secureUrl } from '../../src/github/api-url.ts';
import type { KeyType } from '../../src/keys/generate-key.ts';
import { parseKeyReference, type KmsReference, type LastingReference } from '../../src/keys/key-reference.ts';
import { otherKindOf, type Reference } from '../../src/keys/reference.ts';
import { longestRotatedAlias } from '../../src/keys/rotation-aliases.ts';
import { parseStorageName, shownName } from '../../src/keys/storage-name.ts';
import { invalid, type Line } from '../command-line/parse.ts';
import { parseCredentialReference } from '../command-line/settings.ts';
import type { rotateOptions } from './options.ts';

/** The host with an API that registers keys. */
export interface ApiHost {
  readonly kind: 'github' | 'gitlab';
  /** `owner/name`, or a project's number or path. */
  readonly repository: string;
  /** Without a slash at its end; undefined: the public host's. */
  readonly apiUrl: string | undefined;
  readonly token: Reference;
}

export interface Plan {
  readonly action: 'rotate' | 'finish' | 'abort';
  readonly reference: LastingReference;
  /** Absent: people register and remove keys by hand. */
  readonly host?: ApiHost;
  readonly registered: boolean;
  readonly test?: string;
  readonly type?: KeyType;
  readonly knownHosts?: string;
}

/** @throws INPUT_INVALID */
export function planOf({ words, behind = [], values }: Line<typeof rotateOptions>): Plan {
  const host = hostOf(values);
  if (values.finish && values.abort)
    throw invalid('--finish and --abort do not go together', 'leave one out');
  if (values.registered && (host || values.finish || values.abort)) {
    const hint = host
      ? 'leave --registered out: rotate registers the key itself'
      : 'leave --registered out: it belongs to the step before';
    throw invalid('--registered does not go together with the other options', hint);
  }
  const { test, type, 'known-hosts': knownHosts } = values;
  return {
    action: values.finish ? 'finish' : values.abort ? 'abort' : 'rotate',
    reference: parseName([...words, ...behind]),
    registered: values.registered,
    ...(host && { host }),
    ...(test !== undefined && { test: parseSshUrl(test, '--test') }),
    ...(type !== undefined && { type: type as KeyType }),
    ...(knownHosts !== undefined && { knownHosts }),
  };
}

function parseName(names: readonly string[]): LastingReference {
  const [name, ...more] = names;
  if (name === undefined) throw invalid('rotate has no key', 'write its name: rotate /ci/deploy-key');
  if (more.length > 0) throw invalid(`"${more.join(' ')}" is too much`, 'rotate one key at a time');
  if (otherKindOf(name) === 'kms') return parseAlias(name);
  return parseStorageName(name, { secret: false });
}

/** Everybody who names the alias gets the new key. A key's own id or ARN always names the old key. */
function parseAlias(text: string): KmsReference {
  const reference = parseKeyReference(text) as KmsReference;
  const { name } = reference;
  if (!name.startsWith('alias/')) {
    throw invalid(
      `"${text}" is not the alias of a KMS key: rotate gives an alias to a new key, and the id of a key stays the key's`,
      'write kms:alias/NAME, and --region for another Region; aws kms list-aliases --key-id KEY-ID prints the aliases',
    );
  }
  if (/\/(next|previous)$/.test(name)) {
    throw invalid(
      `"${text}" looks like an alias that a rotation has made`,
      `write kms:${name.replace(/\/(next|previous)$/, '')}`,
    );
  }
  if (name.length > longestRotatedAlias) {
    throw invalid(
      `the alias of "${text.slice(0, 40)}…" has more than ${longestRotatedAlias} characters, and rotate needs room behind it for /previous`,
      'make a shorter alias for the key: aws kms create-alias',
    );
  }
  return reference;
}

/** The name in titles at the host. */
export function titleName(reference: LastingReference): string {
  return reference.kind === 'kms' ? reference.name.replace('alias/', '') : shownName(reference);
}

function hostOf(values: Line<typeof rotateOptions>['values']): ApiHost | undefined {
  const { 'github-repo': repository, 'gitlab-project': project, 'api-url': url, token } = values;
  if (repository !== undefined && project !== undefined) {
    throw invalid('--github-repo and --gitlab-project do not go together', 'leave one out');
  }
  const name = repository ?? project;
  if (name === undefined) {
    const useless = url === undefined ? token && '--token' : '--api-url';
    if (useless === undefined) return undefined;
    throw invalid(`${useless} needs a repository`, 'add --github-repo OWNER/REPO or --gitlab-project ID');
  }
  const option = repository === undefined ? '--gitlab-project' : '--github-repo';
  if (repository !== undefined && !/^[\w.-]+\/[\w.-]+$/.test(repository)) {
    throw invalid(`--github-repo is not a repository: "${repository}"`, 'write OWNER/REPO');
  }
  if (project !== undefined && !/^(\d+|[\w.-]+(\/[\w.-]+)+)$/.test(project)) {
    throw invalid(`--gitlab-project is not a project: "${project}"`, 'write its number, or GROUP/NAME');
  }
  if (token === undefined) {
    throw invalid(
      `${option} needs a token`,
      'add --token REF: the parameter or secret with the token for the API',
    );
  }
  return {
    kind: repository === undefined ? 'gitlab' : 'github',
    ...{ repository: name, apiUrl: parseApiUrl(url), token: parseCredentialReference(token, '--token') },
  };
}

function parseApiUrl(url: string | undefined): string | undefined {
  const secure = url === undefined ? undefined : secureUrl(url);
  if (url === undefined || secure !== undefined) return secure;
  throw invalid(
    '--api-url is not an https:// address',
    'write https://HOST/api/v3 for GitHub, https://HOST/api/v4 for GitLab',
  );
}

/**
 * Only ssh: other ways would prove another credential. A leading hyphen would be an option of git.
 *
 * @param place where it was written
 * @throws INPUT_INVALID
 * @source git-clone(1), "GIT URLS"
 */
export function parseSshUrl(url: string, place: string): string {
  const isSsh = /^ssh:\/\/[^\s/]+\/\S+$/.test(url) || /^([\w.-]+@)?[\w.-]+:(?!\/\/)\S+$/.test(url);
  if (isSsh && !url.startsWith('-') && !/[\p{C}]/u.test(url)) return url;
  throw new Failure('INPUT_INVALID', `${place} is not the ssh address of a repository: "${url}"`, {
    hint: 'write git@HOST:OWNER/REPO.git or ssh://git@HOST:PORT/OWNER/REPO.git',
  });
}
