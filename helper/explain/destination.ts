/** From the text of a URL or a host to its explanation. */
import { explainHttps } from './https.ts';
import type { Explanation } from './explanation.ts';
import { explainSsh } from './ssh.ts';
import { askGit, rewrittenUrl, type Asking } from './surroundings.ts';
import { isUrl, parseTarget } from './target.ts';

/** @throws INPUT_INVALID for a text that is no URL and no host; GIT_NOT_FOUND */
export async function explainDestination(text: string, asking: Asking): Promise<Explanation> {
  const url = await urlOf(text, asking);
  const target = parseTarget(url);
  const common = { asked: text, rewritten: url === text ? null : url };
  if (target.kind === 'https') return { ...common, ...(await explainHttps(target.url, asking)) };
  if (target.kind === 'ssh') return { ...common, ...(await explainSsh(target, asking)) };
  return {
    ...common,
    ...{ kind: 'other', offered: false, keys: [], passedOver: [], notes: [] },
    answer: `no key is offered for ${url}: git starts no ssh for ${target.protocol}://`,
    why: 'ssm-ssh serves ssh, and git-credential-ssm serves https',
  };
}

/** git rewrites URLs and names of remotes. Names of hosts are ssh's, and no URL. */
async function urlOf(text: string, asking: Asking): Promise<string> {
  if (isUrl(text)) return await rewrittenUrl(text, asking);
  const remotes = ((await askGit(['remote'], asking)) ?? '').split('\n');
  return remotes.includes(text) ? await rewrittenUrl(text, asking) : text;
}
