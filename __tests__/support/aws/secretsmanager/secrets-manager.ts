/** Secrets Manager's endpoint: the awsJson1_1 protocol and its operations. */
import { AwsError } from '../errors.ts';
import { authenticate, regionOf, type ApiOptions } from '../iam/caller.ts';
import { jsonAnswer, jsonCommonError, jsonMembers, jsonOperation, jsonRefusal } from '../wire/aws-json.ts';
import type { HttpRequest } from '../wire/http-server.ts';
import type { Service } from '../wire/service.ts';
import { describeSecret } from './describe.ts';
import { batchGetSecretValue, getSecretValue, type SecretsOperation, type SecretsStore } from './read.ts';
import { createSecret, putSecretValue, tagResource, updateSecret } from './write.ts';
import { updateSecretVersionStage } from './stages.ts';

const TARGET = 'secretsmanager';

const OPERATIONS = new Map<string, SecretsOperation>([
  ['GetSecretValue', getSecretValue],
  ['BatchGetSecretValue', batchGetSecretValue],
  ['CreateSecret', createSecret],
  ['PutSecretValue', putSecretValue],
  ['UpdateSecret', updateSecret],
  ['TagResource', tagResource],
  ['DescribeSecret', describeSecret],
  ['UpdateSecretVersionStage', updateSecretVersionStage],
]);

/** One endpoint serves several services: the target header selects this one. */
export function isForSecretsManager(request: HttpRequest): boolean {
  return jsonOperation(request, TARGET) !== undefined;
}

export function secretsManager(store: SecretsStore, options: ApiOptions): Service {
  return {
    identify(request) {
      const operation = `${TARGET}:${jsonOperation(request, TARGET) ?? 'Unknown'}`;
      const parameters = jsonMembers(request) ?? {};
      return { service: TARGET, operation, region: regionOf(request), parameters };
    },
    async perform(request, { operation }, call) {
      const caller = authenticate(request, { ...options, service: TARGET });
      const { account, arn, roleArn, sessionName } = caller.principal;
      Object.assign(call, { account, principal: arn, roleArn, sessionName });
      const work = OPERATIONS.get(operation.slice(TARGET.length + 1));
      if (work === undefined) throw new AwsError({ code: 'UnknownOperationException', message: '' });
      const input = jsonMembers(request);
      if (input === undefined) throw new AwsError({ code: 'SerializationException', message: '' });
      return Promise.resolve(jsonAnswer(work(store, caller, input)));
    },
    refuse: jsonRefusal,
    commonError: jsonCommonError,
  };
}
