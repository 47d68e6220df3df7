// Mutants of the contracts: file, what stands there (once), what it becomes, the forge tests that have to fail.
// Every comparison, meter's update and question of who may, but for those that make no difference when they are broken:
// `index <= newest` in TrailingWindow, `code.length != 0` in GuardHash, the first two lengths in PurseBlob's `bounds`.
const guard = (...names) => names.map((name) => `test/contracts/guard/${name}.t.sol`)
const purse = (...names) => names.map((name) => `test/contracts/purse/${name}.t.sol`)
const removed = ''

const rules = [
  ['if (spender != address(this)) revert WrongSpender(spender);', removed, guard('Pay')],
  ['if (context.token == _NATIVE_TOKEN) revert NativeToken();', removed, guard('Pay')],
  [
    'block.timestamp >= deadline) revert DeadlinePassed',
    'block.timestamp > deadline) revert DeadlinePassed',
    guard('Pay'),
  ],
  ['if (flags != 0) _requireNotStopped', 'if (flags > 3) _requireNotStopped', guard('Stop')],
  ['if (flags & _REVOKED != 0) revert RevokedBy(account);', removed, guard('Stop')],
  ['if (orchestratorFlags & _REVOKED != 0) revert RevokedBy(policy.orchestrator);', removed, guard('Stop')],
  ['if (agentFlags & _REVOKED != 0) revert RevokedBy(policy.agent);', removed, guard('Stop')],
  ['if (flags & _PAUSED != 0) revert PausedBy(account);', removed, guard('Stop')],
  ['if (orchestratorFlags & _PAUSED != 0) revert PausedBy(policy.orchestrator);', removed, guard('Stop')],
  ['if (payment.amount == 0) revert ZeroAmount(payment.number);', removed, guard('Pay')],
  ['payment.amount > policy.perCall', 'payment.amount >= policy.perCall', guard('PayMeters')],
  ['if (payee == address(0)) revert ForbiddenPayee(payee);', removed, guard('Pay')],
  ['if (payee == previous) return;', 'if (previous != address(0)) return;', guard('Pay')],
  ['payee == address(this) || payee ==', 'payee ==', guard('Pay')],
  ['payee == address(PermissionHash.SPM) || ', removed, guard('Pay')],
  [' || payee == context.token', removed, guard('Pay')],
  ['if (!PolicyLib.allows(policy.payees, payee, proof)) revert WrongPayee(payee);', removed, guard('Pay')],
  ['else if (payee == _purseOf(context))', 'else if (false)', guard('Pay')],
  ['if (target > maxFloat)', 'if (target >= maxFloat)', guard('Fund')],
  ['if (balance >= target)', 'if (balance > target)', guard('Fund')],
  ['return target - balance;', 'return target;', guard('Fund')],
  [' || IPurse(purse).fundedBy() != context.permission', removed, guard('Fund')],
  ['if (total + amount > policy.total)', 'if (total + amount >= policy.total)', guard('PayMeters')],
  ['if (daySpent + amount > policy.perDay)', 'if (daySpent + amount >= policy.perDay)', guard('PayMeters')],
  [' | (total + amount);', ' | total;', guard('PayMeters')],
  ['(daySpent + amount) << _DAY_SPENT_OFFSET', 'amount << _DAY_SPENT_OFFSET', guard('PayMeters')],
  ['meters >> _FLAGS_OFFSET << _FLAGS_OFFSET', '0', guard('Stop')],
  ['if (context.task == 0) revert TaskMissing();', removed, guard('Ticket')],
  ['_requireTicket(context, ticket);', removed, guard('Ticket')],
  ['if (cap < limit) limit = cap;', removed, guard('Ticket')],
  ['if (spent + amount > limit)', 'if (spent + amount >= limit)', guard('Ticket')],
  ['return spent + amount;', 'return amount;', guard('Ticket')],
  ['if (signature.length == 0) revert TicketMissing();', removed, guard('Ticket')],
  [
    'block.timestamp >= deadline) revert TicketExpired',
    'block.timestamp > deadline) revert TicketExpired',
    guard('Ticket'),
  ],
  [
    'if (!GuardHash.isSignedBy(orchestrator, digest, signature)) revert TicketInvalid(orchestrator);',
    removed,
    guard('Ticket'),
  ],
  ['if (ticket.length != 0) revert TicketUnexpected();', removed, guard('Ticket')],
]

const payments = [
  ['if (address(_SPM).code.length == 0) revert SpmMissing();', removed, guard('Views')],
  ['if (_locked != 0) revert Reentrancy();', removed, guard('Hostile')],
  ['_;\n    _locked = 0;', '_;', guard('Hostile')],
  ['if (msg.sender != agent) revert WrongAgent(agent, msg.sender);', removed, guard('Pay')],
  [
    'if (!GuardHash.isSignedBy(agent, _hashTypedData(structHash), signature)) {',
    'if (signature.length == 0) {',
    guard('PayWithSignature'),
  ],
  [
    'if (agentSignature.length == 0) _requireAgent(context);\n    else _req',
    'if (agentSignature.length != 0) _req',
    guard('ApproveAndPay'),
  ],
  ['_requireAgent(context);\n    _fund(', '_fund(', guard('Fund')],
  [
    '_requireSigned(context, GuardHash.hashFunding(funding, context.permission), agentSignature);',
    removed,
    guard('Fund'),
  ],
  ['if (at == batch.length) revert EmptyBatch();', removed, guard('Pay')],
  ['_use(lanes, payment.number);', removed, guard('Pay')],
  ['_use(grant.numbers[policy.agent], funding.number);', removed, guard('Fund')],
  ['grant.numbers[context.policy.agent]', 'grant.numbers[context.account]', guard('Pay')],
  ['if (bits & bit != 0) revert NumberUsed(number);', removed, guard('Pay')],
  ['lane.value = bits | bit;', 'lane.value = bit;', guard('Pay')],
  ['else if (payment.payee != payee) payee = address(0);', removed, guard('Pay')],
  ['if (due != 0) SafeTransferLib.safeTransfer(token, previous, due);', removed, guard('Pay')],
  ['(previous, due) = (payment.payee, 0);', 'previous = payment.payee;', guard('Pay')],
  ['grant.meters = _meter(', '_meter(', guard('PayMeters')],
  ['ring.value = _meterWindow(', '_meterWindow(', guard('PayMeters')],
  ['grant.windows[policy.window]', 'grant.windows[0]', guard('PayMeters')],
  ['spent.value = _meterTask(', '_meterTask(', guard('Ticket')],
  ['IPurse(purse).noteFunding(context.permission);', removed, guard('Fund')],
  ['if (renewed.spender != address(this)) revert WrongSpender(renewed.spender);', removed, guard('Replace')],
  ['if (old.spender != address(this)) revert WrongSpender(old.spender);', removed, guard('Replace')],
  [
    'if (policy.replaces != oldHash) revert NotReplacing(policy.replaces, oldHash);',
    removed,
    guard('Replace'),
  ],
  ['old.account != renewed.account || ', removed, guard('Replace')],
  ['old.token != renewed.token || ', removed, guard('Replace')],
  [' || oldGrantId != policy.grantId', removed, guard('Replace')],
  ['_SPM.revokeAsSpender(old);', removed, guard('Replace')],
  ['revert ApprovalRefused(hash);', '{ }', guard('Replace')],
  [
    'if (permission.spender != address(this)) revert WrongSpender(permission.spender);',
    removed,
    guard('Stop'),
  ],
  ['msg.sender != permission.account && ', removed, guard('Stop')],
  ['msg.sender != policy.orchestrator && ', removed, guard('Stop')],
  [' && msg.sender != policy.agent', removed, guard('Stop')],
  ['revert Unauthorized(msg.sender);', removed, guard('Stop')],
  ['revokeGrant(permission.account, permission.token, policy.grantId);', removed, guard('Stop')],
  ['_SPM.revokeAsSpender(permission);', removed, guard('Stop')],
]

const state = [
  ['msg.sender) & ~_PAUSED', 'msg.sender) & 0', guard('Stop')],
  ['msg.sender) | _REVOKED', 'msg.sender) ^ _REVOKED', guard('Stop')],
  ['if (msg.sender == account) {', 'if (msg.sender != address(0)) {', guard('Stop')],
  ['grant.meters & type(uint248).max', '0', guard('Stop')],
  ['grant.meters |= _OTHERS << _FLAGS_OFFSET;', removed, guard('Stop')],
  ['by == account ? grant.meters', 'by != account ? grant.meters', guard('Stop')],
  ['(flags | orchestratorFlags) & _PAUSED', 'flags & _PAUSED', purse('Stopped')],
  ['(flags | orchestratorFlags | agentFlags)', '(flags | orchestratorFlags)', purse('Stopped')],
  ['(flags | orchestratorFlags | agentFlags)', '(flags | agentFlags)', purse('Stopped')],
  ['agentFlags = grant.flags[agent];', removed, guard('Stop')],
  [
    'uint160(account), uint160(token), uint256(grantId)',
    'uint160(token), uint160(token), uint256(grantId)',
    guard('PayMeters'),
  ],
  [
    'uint160(account), uint160(token), uint256(grantId)',
    'uint160(account), uint160(account), uint256(grantId)',
    guard('Hostile'),
  ],
  [
    'uint160(account), uint160(token), uint256(grantId)',
    'uint160(account), uint160(token), 0',
    guard('PayMeters'),
  ],
  ['if (day == today)', 'if (day <= today)', guard('PayMeters')],
  ['block.timestamp / 1 days', '(block.timestamp + 1) / 1 days', guard('PayMeters')],
  ['>> (number & 0xff) & 1', '>> (number & 0x7f) & 1', guard('Pay')],
  [
    'abi.encodePacked(account, token, grantId, agent)',
    'abi.encodePacked(account, token, grantId, account)',
    guard('Fund'),
  ],
]

const views = [
  ['|| _isBefore(batch, first, at, payment.number)', removed, guard('Check')],
  ['if (!_SPM.isValid(permission))', 'if (false)', guard('Pay')],
  ['if (sum > permission.allowance)', 'if (sum >= permission.allowance)', guard('Pay')],
]

const policies = [
  ['version != _VERSION && data.length != 0', 'false', guard('Policy')],
  ['gt(fields, _ALL)', '0', guard('Policy')],
  ['iszero(and(fields, _PAYEES))', '0', guard('Policy')],
  ['malformed := or(malformed, iszero(agent))', removed, guard('Policy')],
  ['iszero(and(fields, _ORCHESTRATOR))', '0', guard('Policy')],
  ['iszero(window)', '0', guard('Policy')],
  ['eq(value, _UNLIMITED_WINDOW)', '0', guard('Policy')],
  ['return MerkleProofLib.verifyCalldata(proof, payees, leaf);', 'return leaf != 0;', guard('Pay')],
  [
    'EfficientHashLib.hash(EfficientHashLib.hash(uint256(uint160(payee))))',
    'EfficientHashLib.hash(uint256(uint160(payee)))',
    guard('Pay'),
  ],
]

const window = [
  ['(uint256(window) + 2) / 3', '(uint256(window) + 3) / 4', guard('TrailingWindow')],
  ['steps < _BUCKETS ?', 'steps < _BUCKETS - 1 ?', guard('TrailingWindow')],
  ['amount > limit || spent > limit - amount', 'spent > limit - amount', guard('TrailingWindow')],
  ['spent > limit - amount', 'spent >= limit - amount', guard('TrailingWindow')],
  ['return slot + amount;', 'return slot;', guard('TrailingWindow')],
  [' + (slot >> 3 * _BUCKET_BITS & _BUCKET_MASK)', removed, guard('TrailingWindow')],
]

const purses = [
  ['msg.sender != own.account && ', removed, purse('Sweep')],
  [' && msg.sender != own.agent', removed, purse('Sweep')],
  ['if (msg.sender != address(guard)) revert OnlyGuard(msg.sender);', removed, purse('NoteFunding')],
  ['fundedBy = permission;', removed, purse('NoteFunding')],
  [
    '// Or a permission over one unit, with any payee, would set free what others had put here for theirs.\n    _sweep(_arguments());',
    removed,
    purse('NoteFunding'),
  ],
  ['if (permission == fundedBy) return;', removed, purse('NoteFunding')],
  ['if (hash != fundedBy) revert NotFundedBy(hash, fundedBy);', removed, purse('Sweep')],
  ['msg.sender == orchestrator || ', removed, purse('Sweep')],
  ['block.timestamp >= permission.end)', 'block.timestamp > permission.end)', purse('Sweep')],
  ['if (PermissionHash.SPM.isRevoked(permission)) return;', removed, purse('Sweep')],
  ['if (!revoked) revert SweepNotAllowed(msg.sender);', removed, purse('Sweep')],
  ['hash == _digest(own.token, structHash) && ', removed, purse('Cancellation')],
  [' && GuardHash.isSignedBy(own.agent, hash, signature)', removed, purse('Cancellation')],
  ['if (hash != _digest(own.token, _structHash(payment))) return false;', removed, purse('Payment')],
  ['if (!GuardHash.isSignedBy(own.agent, hash, blob[proofEnd:])) return false;', removed, purse('Payment')],
  ['if (permission.hash(_spmDomain()) != fundedBy) return false;', removed, purse('PaymentOfAnother')],
  [
    'block.timestamp < permission.start()',
    'block.timestamp <= permission.start()',
    purse('Payment', 'Stopped'),
  ],
  ['block.timestamp >= permission.end()', 'block.timestamp > permission.end()', purse('Payment', 'Stopped')],
  ['return !permission.isRevoked();', 'return true;', purse('Stopped')],
  ['payment.value > policy.perCall', 'payment.value >= policy.perCall', purse('Payment')],
  ['if (policy.payees == ANY_PAYEE && proof.length != 0) return false;', removed, purse('Payment', 'Blob')],
  ['if (!PolicyLib.allows(policy.payees, payment.to, proof)) return false;', removed, purse('Payment')],
  ['return !paused && !revoked;', 'return !revoked;', purse('Stopped')],
  ['return !paused && !revoked;', 'return !paused;', purse('Stopped')],
]

const blobs = [
  [' || blob.length == 65', removed, purse('Unreachable')],
  ['if (_read(blob, blob.length - 32, 32) == _ERC6492_SUFFIX) return 0;', removed, purse('Unreachable')],
  ['if (blob.length < proofEnd) return (0, 0);', removed, purse('Blob')],
]

const batches = [
  ['if (first > batch.length) revert MalformedBatch();', removed, guard('Batch')],
  ['if (next > batch.length) revert MalformedBatch();', removed, guard('Batch')],
  ['t.length > 20 ?', 't.length > 0 ?', guard('Batch')],
]

const hashes = [
  [
    '_TICKET_TYPEHASH, account, token, grantId, task, cap, deadline',
    '_TICKET_TYPEHASH, token, token, grantId, task, cap, deadline',
    guard('Ticket'),
  ],
  [
    '_TICKET_TYPEHASH, account, token, grantId, task, cap, deadline',
    '_TICKET_TYPEHASH, account, token, grantId, task, cap, cap',
    guard('Ticket'),
  ],
  [
    '_BATCH_TYPEHASH, permission, deadline, task',
    '_BATCH_TYPEHASH, deadline, deadline, task',
    guard('PayWithSignature'),
  ],
  [
    'if (ECDSA.tryRecoverCalldata(digest, signature) == signer) return true;',
    removed,
    guard('PayWithSignature'),
  ],
]

const calls = [
  [
    'field := shr(96, shl(96, mload(add(spendCall, at))))',
    'field := mload(add(spendCall, at))',
    guard('SpendCall'),
  ],
  ['or(iszero(answered), iszero(iszero(mload(0x00))))', 'iszero(iszero(mload(0x00)))', guard('SpendCall')],
  [
    'if iszero(call(gas(), spm, 0, add(spendCall, 0x1c), length, 0, 0)) {',
    'pop(call(gas(), spm, 0, add(spendCall, 0x1c), length, 0, 0))\n      if 0 {',
    guard('SpendCall'),
  ],
]

const of = (file, list) => list.map(([from, to, tests]) => [`contracts/${file}.sol`, from, to, tests])

export const contracts = [
  ...of('GuardRules', rules),
  ...of('HardcapGuard', payments),
  ...of('GuardState', state),
  ...of('GuardViews', views),
  ...of('Policy', policies),
  ...of('TrailingWindow', window),
  ...of('Purse', purses),
  ...of('PurseBlob', blobs),
  ...of('Batch', batches),
  ...of('GuardHash', hashes),
  ...of('SpendCall', calls),
]
