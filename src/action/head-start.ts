/**
 * Begins what needs no more than the inputs, before the AWS SDK is loaded: the request for the job's OIDC token, and the
 * connections to AWS. They wait for the network while this process loads.
 */
import { EarlyAgent } from '../aws/early-agent.ts';
import { patienceOf } from '../aws/patience.ts';
import { usualEndpoint } from '../aws/usual-endpoint.ts';
import { tokenRequest, tokenService } from '../aws/token-request.ts';
import type { HeadStart } from '../host/call-aws.ts';
import { sendRequest, type HttpAnswer } from '../http-request.ts';
import { isStoredLine, referencesOf } from '../keys/key-line.ts';
import { earlyConnections } from './early-connections.ts';
import type { Env, Inputs } from './inputs.ts';

/** @returns undefined if the job's token is not the first thing that is asked for */
export function headStart(inputs: Inputs, env: Env, signal: AbortSignal): HeadStart | undefined {
  const { keys, apps, role } = inputs;
  const stored = [...keys.filter(isStoredLine), ...apps];
  const service = tokenService(env);
  const [region] = inputs.regions;
  if (!service || region === undefined || role?.audience === undefined || role.tokenFile !== undefined)
    return undefined;
  // With allowed accounts, the role's account is compared before.
  const isLater = role.skipsOidc === true || inputs.useExisting || inputs.allowedAccounts.length > 0;
  if (isLater || (stored.length === 0 && keys.length > 0)) return undefined;
  const answer = sendRequest(tokenRequest(service, role.audience), {
    env,
    signal,
    patience: patienceOf(inputs),
  });
  const https = new EarlyAgent(env);
  for (const [name, count] of earlyConnections(referencesOf(stored), role.policy === 'auto')) {
    const endpoint = usualEndpoint(name, region, env);
    if (endpoint) https.openEarly(endpoint, count);
  }
  return { https, early: once(answer) };
}

/** A token serves one try: for the next one it is asked for anew. */
function once(answer: Promise<HttpAnswer>): HeadStart['early'] {
  let left: Promise<HttpAnswer> | undefined = answer;
  return () => {
    const taken = left;
    left = undefined;
    return taken;
  };
}
