/** Systems Manager's endpoint: the awsJson1_1 protocol in front of Parameter Store's operations. */
import { jsonAnswer, jsonCommonError, jsonMembers, jsonOperation, jsonRefusal } from '../wire/aws-json.ts';
import { authenticate, regionOf, type ApiOptions } from '../iam/caller.ts';
import { AwsError } from '../errors.ts';
import type { Service } from '../wire/service.ts';
import type { SsmStore } from './access.ts';
import { getParametersByPath } from './by-path.ts';
import { getParameter, getParameterHistory, getParameters, type SsmOperation } from './read.ts';
import { deleteParameter, labelParameterVersion, putParameter } from './write.ts';

const OPERATIONS = new Map<string, SsmOperation>([
  ['GetParameter', getParameter],
  ['GetParameters', getParameters],
  ['GetParametersByPath', getParametersByPath],
  ['GetParameterHistory', getParameterHistory],
  ['PutParameter', putParameter],
  ['LabelParameterVersion', labelParameterVersion],
  ['DeleteParameter', deleteParameter],
]);

export function systemsManager(store: SsmStore, options: ApiOptions): Service {
  return {
    identify(request) {
      const operation = `ssm:${jsonOperation(request, 'AmazonSSM') ?? 'Unknown'}`;
      return { service: 'ssm', operation, region: regionOf(request), parameters: jsonMembers(request) ?? {} };
    },
    async perform(request, { operation }, call) {
      const caller = authenticate(request, { ...options, service: 'ssm' });
      const { account, arn, roleArn, sessionName } = caller.principal;
      Object.assign(call, { account, principal: arn, roleArn, sessionName });
      const work = OPERATIONS.get(operation.slice('ssm:'.length));
      if (work === undefined) throw new AwsError({ code: 'UnknownOperationException', message: '' });
      const input = jsonMembers(request);
      if (input === undefined) throw new AwsError({ code: 'SerializationException', message: '' });
      return Promise.resolve(jsonAnswer(work(store, caller, input)));
    },
    refuse: jsonRefusal,
    commonError: jsonCommonError,
  };
}
