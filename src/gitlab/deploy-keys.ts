/** The deploy keys of a project on GitLab. */
import { ApiDeployKeys, type Access, type Call, type HostApi } from '../deploy-keys-api.ts';
import { callHttpApi, readObject, type ApiOptions } from '../http-api.ts';
import type { HttpAnswer } from '../http-request.ts';
import type { DeployKeys } from '../keys/deploy-key.ts';

export interface GitLabProject extends Access {
  /** Its number, or its path: `group/name`. */
  readonly project: string;
}

/** Bytes of a page. */
const maxBytes = 1_000_000;

const permission = 'the scope "api" and the role Maintainer in the project';

/** @source GitLab Docs, Deploy keys API; Projects API, `ssh_url_to_repo` */
export function gitLabDeployKeys(target: GitLabProject, options: ApiOptions): DeployKeys {
  const { project, apiUrl, token } = target;
  const path = `/projects/${encodeURIComponent(project)}`;
  const headers = { accept: 'application/json', 'private-token': token, 'user-agent': 'ssm-ssh-agent' };
  const send = ({ path: rest, ...call }: Call): Promise<HttpAnswer> =>
    callHttpApi({ ...call, product: 'GitLab', maxBytes, url: new URL(apiUrl + rest), headers }, options);
  const api: HostApi = {
    ...{ product: 'GitLab', place: `project ${project} on ${new URL(apiUrl).hostname}`, permission },
    ...{ inUse: 400, keysPath: `${path}/deploy_keys`, send },
    url: async () => {
      const answer = await send({ method: 'GET', path });
      const { ssh_url_to_repo: url } = readObject(answer.text);
      if (answer.status === 200 && typeof url === 'string') return url;
      throw keys.refused(answer, 'read the address');
    },
    isReadOnly: ({ can_push: canPush }) => canPush !== true,
    accessOf: (readOnly) => ({ can_push: !readOnly }),
    isLimited: ({ status }) => status === 429,
    hintFor: (answer) => hintFor(answer, target),
  };
  const keys = new ApiDeployKeys(api, target);
  return keys;
}

function hintFor({ status, text }: HttpAnswer, { project, apiUrl }: GitLabProject): string {
  if (status === 404) {
    return `check the project ${project} and --api-url (${apiUrl}), and give the token ${permission}`;
  }
  if (status === 400 && /already been taken/.test(text)) {
    return 'the key is in use elsewhere: run rotate with --abort, then run it again for a new key';
  }
  return `check that ${apiUrl} is GitLab's API (https://HOST/api/v4), then run it again`;
}
