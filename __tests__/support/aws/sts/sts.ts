/** The Security Token Service's endpoint: the awsQuery protocol and its operations. */
import {
  queryAnswer,
  queryCommonError,
  queryParameters,
  queryRefusal,
  type XmlTree,
} from '../wire/aws-query.ts';
import { authenticate, regionOf, type ApiOptions, type Caller } from '../iam/caller.ts';
import type { OpenCall } from '../wire/calls.ts';
import { AwsError } from '../errors.ts';
import type { HttpRequest } from '../wire/http-server.ts';
import type { Service } from '../wire/service.ts';
import { assumeRole, assumeRoleWithWebIdentity, getCallerIdentity } from './operations.ts';

const VERSION = '2011-06-15';

export function securityTokenService(options: ApiOptions): Service {
  const identifyCaller = (request: HttpRequest, call: OpenCall): Caller => {
    const caller = authenticate(request, { ...options, service: 'sts' });
    const { account, arn, roleArn, sessionName } = caller.principal;
    Object.assign(call, { account, principal: arn, roleArn, sessionName });
    return caller;
  };
  const run = async (request: HttpRequest, name: string, call: OpenCall): Promise<XmlTree> => {
    const store = { iam: options.iam, now: options.clock() };
    const parameters = queryParameters(request);
    switch (name) {
      case 'AssumeRoleWithWebIdentity':
        return assumeRoleWithWebIdentity(store, parameters);
      case 'AssumeRole':
        return assumeRole(store, parameters, identifyCaller(request, call));
      case 'GetCallerIdentity':
        return getCallerIdentity(identifyCaller(request, call));
      default:
        throw new AwsError({
          code: 'InvalidAction',
          message: `Could not find operation ${name} for version ${VERSION}`,
        });
    }
  };
  return {
    identify(request) {
      const fields = Object.entries(queryParameters(request));
      const name = fields.find(([field]) => field === 'Action')?.[1] ?? 'Unknown';
      const parameters = Object.fromEntries(fields.filter(([field]) => !/^(Action|Version)$/.test(field)));
      return { service: 'sts', operation: `sts:${name}`, region: regionOf(request), parameters };
    },
    async perform(request, { operation }, call) {
      const name = operation.slice('sts:'.length);
      return queryAnswer(name, await run(request, name, call));
    },
    refuse: queryRefusal,
    commonError: queryCommonError,
  };
}
