/** GitHub's refusals of an App as ours: what it answered, and what mends it. */
import { Failure } from '../errors.ts';
import type { HttpAnswer } from '../http-request.ts';
import { saidBy } from './api.ts';
import type { GitHubApp } from './app.ts';

export interface Refused {
  readonly app: GitHubApp;
  /** `looked for …`, `asked for …`. */
  readonly doing: string;
  readonly clock: () => number;
}

export function refused(answer: HttpAnswer, { app, doing, clock }: Refused): Failure {
  const { host } = new URL(app.apiUrl);
  const message = `the GitHub App in ${app.resource} ${doing}, and ${host} answered ${saidBy(answer)}`;
  return new Failure('PROVIDER_FAILED', message, { hint: hintFor(answer, app, clock()) });
}

function hintFor(answer: HttpAnswer, app: GitHubApp, now: number): string {
  const { status = 0, headers } = answer;
  const theirs = Date.parse(headers.date ?? '');
  const off = Math.round((now - theirs) / 1000);
  if (status === 401 && Math.abs(off) > 30) {
    return `set the clock of this machine: it is ${Math.abs(off)} seconds ${off > 0 ? 'ahead' : 'behind'}`;
  }
  if (status === 401 || /Integration not found/.test(saidBy(answer))) {
    return `check that the id and "private_key" in ${app.resource} are of the same App, and that the key was not deleted there`;
  }
  if (status === 403 && headers['x-ratelimit-remaining'] !== '0' && headers['retry-after'] === undefined) {
    return 'see whether the installation of the App is suspended, or its owner lets only some addresses in';
  }
  if (status === 403 || status === 429) return 'run it again later: GitHub limits the rate of calls';
  if (status === 404) {
    return app.installationId === undefined
      ? 'install the App there (Install App on its page), with access to that repository; a repository that was renamed has to be named as it is called now'
      : `check "installation_id" and "api_url" in ${app.resource}: the App has no such installation there`;
  }
  if (status === 422) {
    return 'give the installation of the App access to these repositories, and the App the permission "Contents" (or what "permissions" names), which its owner has to accept';
  }
  return 'run it again later; if it persists, see https://www.githubstatus.com';
}

export function notFromGitHub({ apiUrl }: GitHubApp): Failure {
  return new Failure('PROVIDER_FAILED', `what answered at ${apiUrl} is not GitHub's API`, {
    hint: 'check "api_url", which is https://HOST/api/v3 for a GitHub Enterprise Server, and the proxy of this machine',
  });
}
