import '../support/suite/rest.ts';
import './private-key.test.ts';
