// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Batch, BatchLib, Payment, Ticket } from "../../contracts/Batch.sol";
import { IHardcapGuard } from "../../contracts/interfaces/IHardcapGuard.sol";
import { ISpendPermissionManager } from "../../contracts/interfaces/ISpendPermissionManager.sol";
import { GuardTest } from "./guard/GuardTest.sol";

/// @dev test/vectors/decision.json is read here and by test/core/decisionVectors.test.ts: what the guard and what
///      `Decision` say to a payment or funding, after the same payments, fundings and stops.
contract DecisionVectorsTest is GuardTest {
  /* The vectors. Numbers are base units and unix seconds; names are of actors, parts of the scene, and grants. */

  struct GrantVector {
    string name;
    string spender;
    string token;
    uint256 allowance;
    uint256 period;
    uint256 start;
    uint256 end;
    bytes extraData;
    bytes32[][] proofs;
  }

  struct Act {
    string kind;
    string grant;
    uint256 at;
    string by;
    uint256 number;
    uint256 amount;
    bytes32 task;
  }

  struct TicketVector {
    string signer;
    string account;
    bytes32 task;
    uint256 cap;
    uint256 deadline;
  }

  struct Ask {
    string kind;
    string grant;
    uint256 at;
    uint256 number;
    uint256 amount;
    string payee;
    int256 proof;
    uint256 deadline;
    bytes32 task;
    TicketVector ticket;
  }

  struct Answer {
    string reason;
    uint256 code;
    bytes error;
    string[] figures;
  }

  struct Vector {
    string name;
    string[] unapproved;
    Act[] before;
    Ask ask;
    Answer answer;
  }

  string private constant _GRANT =
    "GrantVector(string name,string spender,string token,uint256 allowance,uint256 period,uint256 start,uint256 end,bytes extraData,bytes32[][] proofs)";
  string private constant _VECTOR =
    "Vector(string name,string[] unapproved,Act[] before,Ask ask,Answer answer)Act(string kind,string grant,uint256 at,string by,uint256 number,uint256 amount,bytes32 task)Answer(string reason,uint256 code,bytes error,string[] figures)Ask(string kind,string grant,uint256 at,uint256 number,uint256 amount,string payee,int256 proof,uint256 deadline,bytes32 task,TicketVector ticket)TicketVector(string signer,string account,bytes32 task,uint256 cap,uint256 deadline)";

  address private constant _NATIVE_TOKEN = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

  string private json;
  GrantVector[] private grants;

  function setUp() public override {
    super.setUp();
    json = vm.readFile("test/vectors/decision.json");
    GrantVector[] memory all = abi.decode(vm.parseJsonTypeArray(json, ".grants", _GRANT), (GrantVector[]));
    for (uint256 i; i < all.length; ++i) {
      grants.push(all[i]);
    }
  }

  function test_answers() public {
    Vector[] memory vectors = abi.decode(vm.parseJsonTypeArray(json, ".vectors", _VECTOR), (Vector[]));
    assertGt(vectors.length, 200);
    for (uint256 i; i < vectors.length; ++i) {
      uint256 fresh = vm.snapshotState();
      this.expectAnswer(vectors[i]);
      vm.revertToStateAndDelete(fresh);
    }
  }

  /// @dev By a call, whose memory is its own.
  function expectAnswer(Vector memory vector) external {
    for (uint256 i; i < grants.length; ++i) {
      if (!_contains(vector.unapproved, grants[i].name)) _approve(_permissionOf(grants[i].name));
    }
    for (uint256 i; i < vector.before.length; ++i) {
      _do(vector.before[i]);
    }
    vm.warp(vector.ask.at);
    _expectAnswer(vector.ask, vector.answer, vector.name);
  }

  function _expectAnswer(Ask memory ask, Answer memory answer, string memory name) private {
    ISpendPermissionManager.SpendPermission memory p = _permissionOf(ask.grant);
    bytes memory error = _errorOf(answer);
    if (_is(ask.kind, "fund")) {
      IHardcapGuard.Funding memory funding = _fundingOf(ask);
      assertEq(uint256(guard.checkFunding(p, funding)), answer.code, name);
      _expect(ask, abi.encodeCall(guard.simulateFunding, (p, funding)), error, name);
      _expect(ask, abi.encodeCall(guard.fund, (p, funding)), error, name);
    } else {
      bytes memory batch = _batchOf(ask);
      assertEq(uint256(guard.check(p, batch)), answer.code, name);
      _expect(ask, abi.encodeCall(guard.simulate, (p, batch)), error, name);
      _expect(ask, abi.encodeCall(guard.pay, (p, batch)), error, name);
    }
  }

  /// @dev By the agent.
  function _expect(Ask memory ask, bytes memory call, bytes memory error, string memory name) private {
    vm.prank(_agentOf(ask.grant));
    (bool done, bytes memory result) = address(guard).call(call);
    assertEq(done, error.length == 0, name);
    if (!done) assertEq(result, error, name);
  }

  /* ---------------------------------------- before ---------------------------------------- */

  function _do(Act memory act) private {
    vm.warp(act.at);
    ISpendPermissionManager.SpendPermission memory p = _permissionOf(act.grant);
    if (_is(act.kind, "pay")) return _doPay(p, act);
    if (_is(act.kind, "fund")) return _doFund(p, act);
    if (_is(act.kind, "donate")) {
      return _mint(guard.purseOf(account, TOKEN, GRANT_ID, _agentOf(act.grant)), act.amount);
    }
    vm.prank(_who(act.by));
    if (_is(act.kind, "pause")) guard.pause(account, TOKEN, GRANT_ID);
    else if (_is(act.kind, "resume")) guard.resume(account, TOKEN, GRANT_ID);
    else if (_is(act.kind, "revoke")) guard.revoke(p);
    else if (_is(act.kind, "revokeGrant")) guard.revokeGrant(account, TOKEN, GRANT_ID);
    else if (_is(act.kind, "spm")) SPM.revoke(p);
    else revert(act.kind);
  }

  function _doPay(ISpendPermissionManager.SpendPermission memory p, Act memory act) private {
    Batch memory batch = _batch(_payment(act.number, uint112(act.amount)));
    batch.payments[0].proof = _find(act.grant).proofs[0];
    batch.task = act.task;
    if (_capsTasks(p)) batch.ticket = _ticket(act.task, UNLIMITED);
    vm.prank(_agentOf(act.grant));
    guard.pay(p, BatchLib.encode(batch));
  }

  function _doFund(ISpendPermissionManager.SpendPermission memory p, Act memory act) private {
    IHardcapGuard.Funding memory funding = _funding(act.number, uint112(act.amount));
    funding.task = act.task;
    if (_capsTasks(p)) funding.ticket = BatchLib.encode(_ticket(act.task, UNLIMITED));
    vm.prank(_agentOf(act.grant));
    guard.fund(p, funding);
  }

  function _capsTasks(ISpendPermissionManager.SpendPermission memory p) private view returns (bool) {
    return guard.explain(p.extraData).perTask != UNLIMITED;
  }

  /* ---------------------------------------- asking ---------------------------------------- */

  function _batchOf(Ask memory ask) private view returns (bytes memory data) {
    Batch memory batch;
    batch.deadline = uint48(ask.deadline);
    batch.task = ask.task;
    batch.ticket = _ticketOf(ask.ticket);
    if (_is(ask.kind, "empty")) return BatchLib.encode(batch);
    bytes32[] memory proof;
    if (ask.proof >= 0) proof = _find(ask.grant).proofs[uint256(ask.proof)];
    batch.payments = new Payment[](1);
    batch.payments[0] = Payment(ask.number, _ref(ask.number), _who(ask.payee), uint112(ask.amount), proof);
    data = BatchLib.encode(batch);
    if (!_is(ask.kind, "malformed")) return data;
    assembly ("memory-safe") {
      mstore(data, sub(mload(data), 1))
    }
  }

  function _fundingOf(Ask memory ask) private view returns (IHardcapGuard.Funding memory funding) {
    funding.deadline = uint48(ask.deadline);
    funding.task = ask.task;
    funding.ticket = BatchLib.encode(_ticketOf(ask.ticket));
    funding.number = ask.number;
    funding.ref = _ref(ask.number);
    funding.target = uint112(ask.amount);
  }

  function _ticketOf(TicketVector memory t) private view returns (Ticket memory) {
    if (_is(t.signer, "nobody")) return Ticket(0, 0, "");
    uint256 key = uint256(keccak256(bytes(t.signer)));
    (uint112 cap, uint48 deadline) = (uint112(t.cap), uint48(t.deadline));
    bytes32 digest = _ticketHash(_who(t.account), GRANT_ID, t.task, cap, deadline);
    return Ticket(cap, deadline, _sign(key, digest));
  }

  /// @dev The error with its figures, each of which is a word.
  function _errorOf(Answer memory answer) private view returns (bytes memory error) {
    error = answer.error;
    for (uint256 i; i < answer.figures.length; ++i) {
      string memory figure = answer.figures[i];
      bytes1 first = bytes(figure)[0];
      bool isNumber = first >= "0" && first <= "9";
      error = bytes.concat(
        error, isNumber ? bytes32(vm.parseUint(figure)) : bytes32(uint256(uint160(_who(figure))))
      );
    }
  }

  /* ---------------------------------------- names ---------------------------------------- */

  function _permissionOf(string memory name)
    private
    view
    returns (ISpendPermissionManager.SpendPermission memory)
  {
    GrantVector memory found = _find(name);
    return ISpendPermissionManager.SpendPermission({
      account: account,
      spender: _who(found.spender),
      token: _who(found.token),
      allowance: uint160(found.allowance),
      period: uint48(found.period),
      start: uint48(found.start),
      end: uint48(found.end),
      salt: 0,
      extraData: found.extraData
    });
  }

  function _find(string memory name) private view returns (GrantVector memory) {
    for (uint256 i; i < grants.length; ++i) {
      if (_is(grants[i].name, name)) return grants[i];
    }
    revert(name);
  }

  /// @dev Of every policy, and of bytes that are none.
  function _agentOf(string memory grant) private view returns (address) {
    return _is(grant, "second agent") ? _addressOf("second agent") : agent;
  }

  function _who(string memory name) private view returns (address) {
    if (_is(name, "account")) return account;
    if (_is(name, "guard")) return address(guard);
    if (_is(name, "spm")) return address(SPM);
    if (_is(name, "usdc")) return TOKEN;
    if (_is(name, "native")) return _NATIVE_TOKEN;
    if (_is(name, "zero")) return address(0);
    if (_is(name, "purse")) return guard.purseOf(account, TOKEN, GRANT_ID, agent);
    return _addressOf(name);
  }

  /// @dev As `makeAddr`, without a label.
  function _addressOf(string memory name) private pure returns (address) {
    return vm.addr(uint256(keccak256(bytes(name))));
  }

  function _contains(string[] memory names, string memory name) private pure returns (bool) {
    for (uint256 i; i < names.length; ++i) {
      if (_is(names[i], name)) return true;
    }
    return false;
  }

  function _is(string memory a, string memory b) private pure returns (bool) {
    return keccak256(bytes(a)) == keccak256(bytes(b));
  }
}
