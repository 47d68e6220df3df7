// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Policy } from "../../../contracts/Policy.sol";
import { PurseTest } from "./PurseTest.sol";

/// @dev `isValidSignature` of a payment: whom, how much, when. Who can stop it: Stopped.t.sol. Other messages and
///      permissions: PaymentOfAnother.t.sol. Malformed: Blob.t.sol.
contract PursePaymentTest is PurseTest {
  function test_default() public {
    _pays(_payment());
    assertEq(USDC.balanceOf(_payee(0)), 0.05e6);
    assertEq(USDC.balanceOf(address(purse)), FLOAT - 0.05e6);
  }

  /* ---------------------------------------- args ---------------------------------------- */

  function test_args_anyAmountWithinPerCall(uint112 value) public {
    Payment memory p = _payment();
    p.value = uint112(bound(value, 0, PER_CALL));
    _pays(p);
  }

  function test_args_everyPayee() public {
    for (uint256 i; i < 8; ++i) {
      Payment memory p = _payment();
      p.to = _payee(i);
      p.nonce = bytes32(i);
      _pays(p, _blob(p, _permission(), _proof(i), _ecdsa(agentKey, _digest(p))));
    }
  }

  /// @dev The window is the token's to check, and it has both ends exclusive.
  function test_args_anyTimes(uint48 validAfter, uint48 validBefore, uint48 time) public {
    Payment memory p = _payment();
    (p.validAfter, p.validBefore) = (validAfter, validBefore);
    time = uint48(bound(time, START, END - 1));
    vm.warp(time);
    if (time > validAfter && time < validBefore) {
      _pays(p);
    } else {
      bytes memory blob = _blob(p);
      assertEq(purse.isValidSignature(_digest(p), blob), ACCEPTED, "accepted at any time");
      vm.expectRevert(
        time <= validAfter
          ? bytes("FiatTokenV2: authorization is not yet valid")
          : bytes("FiatTokenV2: authorization is expired")
      );
      _settle(p, blob);
    }
  }

  function test_args_timeBoundaries() public {
    Payment memory p = _payment();
    bytes memory blob = _blob(p);
    vm.warp(p.validBefore);
    vm.expectRevert("FiatTokenV2: authorization is expired");
    _settle(p, blob);
    vm.warp(p.validBefore - 1);
    _pays(p, blob);

    p.nonce = "another";
    p.validAfter = uint48(block.timestamp);
    p.validBefore = p.validAfter + 2;
    blob = _blob(p);
    vm.expectRevert("FiatTokenV2: authorization is not yet valid");
    _settle(p, blob);
    vm.warp(p.validAfter + 1);
    _pays(p, blob);
  }

  function test_args_anyPayee(address to) public {
    vm.assume(to != address(0) && to != address(USDC) && !USDC.isBlacklisted(to) && to != address(purse));
    Policy memory policy = _policy();
    policy.payees = ANY;
    _approve(_permission(policy));
    _pull();
    _fund(_permission(policy), FLOAT);
    Payment memory p = _payment();
    p.to = to;
    _pays(p, _blob(p, _permission(policy), _noProof(), _ecdsa(agentKey, _digest(p))));
  }

  function test_args_onePayee() public {
    Policy memory policy = _policy();
    policy.payees = _leaf(5);
    _approve(_permission(policy));
    _pull();
    _fund(_permission(policy), FLOAT);
    Payment memory p = _payment();
    p.to = _payee(5);
    _pays(p, _blob(p, _permission(policy), _noProof(), _ecdsa(agentKey, _digest(p))));
  }

  function test_args_unlimitedPerCall() public {
    Policy memory policy = _policy();
    policy.perCall = NONE;
    policy.orchestrator = address(0);
    _approve(_permission(policy));
    _pull();
    _fund(_permission(policy), FLOAT);
    Payment memory p = _payment();
    p.value = FLOAT;
    _pays(p, _blob(p, _permission(policy)));
  }

  /* ---------------------------------------- behavior ---------------------------------------- */

  function test_behavior_noTransactionOfTheAgentPerPayment() public {
    for (uint256 i; i < 5; ++i) {
      Payment memory p = _payment();
      p.nonce = bytes32(i);
      p.value = PER_CALL;
      _pays(p);
    }
    assertEq(USDC.balanceOf(address(purse)), 0);
  }

  function test_behavior_noncePaysOnce() public {
    Payment memory p = _payment();
    bytes memory blob = _blob(p);
    _pays(p, blob);
    vm.expectRevert("FiatTokenV2: authorization is used or canceled");
    _settle(p, blob);
  }

  /// @dev The purse agrees to what it cannot pay; the token does not.
  function test_behavior_moreThanTheBalance() public {
    _pull();
    Payment memory p = _payment();
    bytes memory blob = _blob(p);
    assertEq(purse.isValidSignature(_digest(p), blob), ACCEPTED);
    vm.expectRevert("ERC20: transfer amount exceeds balance");
    _settle(p, blob);
  }

  function test_behavior_donationsArePaidOutUnderTheSameRules() public {
    _mint(address(purse), 1);
    Payment memory p = _payment();
    p.value = PER_CALL + 1;
    _refuses(p);
    p.value = PER_CALL;
    _pays(p);
  }

  function test_behavior_lastSecondOfThePermission() public {
    vm.warp(END - 1);
    Payment memory p = _payment();
    p.validBefore = END + 1;
    _pays(p);
  }

  /// @dev An agent that has delegated to code (EIP-7702) still signs with its key.
  function test_behavior_delegatedAgent() public {
    vm.etch(agent, hex"fe");
    _pays(_payment());
  }

  /* ---------------------------------------- error ---------------------------------------- */

  function test_error_abovePerCall(uint112 value) public {
    Payment memory p = _payment();
    p.value = PER_CALL + 1;
    _refuses(p);
    p.value = uint112(bound(value, PER_CALL + 1, type(uint112).max));
    _refuses(p);
  }

  function test_error_perCallZero() public {
    Policy memory policy = _policy();
    policy.perCall = 0;
    _approve(_permission(policy));
    _pull();
    _fund(_permission(policy), FLOAT);
    Payment memory p = _payment();
    p.value = 1;
    _refuses(p, _blob(p, _permission(policy)));
  }

  function test_error_payeeNotAllowed(address to) public {
    for (uint256 i; i < 8; ++i) {
      vm.assume(to != _payee(i));
    }
    vm.assume(to != address(0) && to != address(USDC) && !USDC.isBlacklisted(to));
    Payment memory p = _payment();
    p.to = to;
    for (uint256 i; i < 8; ++i) {
      _refuses(p, _blob(p, _permission(), _proof(i), _ecdsa(agentKey, _digest(p))));
    }
    _refuses(p, _blob(p, _permission(), _noProof(), _ecdsa(agentKey, _digest(p))));
  }

  function test_error_proofOfAnotherPayee() public {
    Payment memory p = _payment();
    for (uint256 i = 1; i < 8; ++i) {
      _refuses(p, _blob(p, _permission(), _proof(i), _ecdsa(agentKey, _digest(p))));
    }
  }

  /// @dev Where any payee is allowed there is nothing to prove, and nothing to hide in a proof.
  function test_error_proofWhereAnyPayeeIsAllowed() public {
    Policy memory policy = _policy();
    policy.payees = ANY;
    _approve(_permission(policy));
    _pull();
    _fund(_permission(policy), FLOAT);
    Payment memory p = _payment();
    _refuses(p, _blob(p, _permission(policy)));
    _refuses(p, _blob(p, _permission(policy), new bytes32[](1), _ecdsa(agentKey, _digest(p))));
  }

  function test_error_notTheAgentsSignature(uint256 key) public {
    key = boundPrivateKey(key);
    vm.assume(key != agentKey);
    Payment memory p = _payment();
    _refuses(p, _blob(p, _permission(), _proof(0), _ecdsa(key, _digest(p))));
  }

  function test_error_noSignature() public {
    Payment memory p = _payment();
    _refuses(p, _blob(p, _permission(), _proof(0), ""));
    _refuses(p, _blob(p, _permission(), _proof(0), new bytes(65)));
  }

  /// @dev What the blob says is rebuilt and compared, so the agent's signature over something else is of no use.
  function test_error_fieldsOfAnotherPayment(uint8 field, uint48 delta) public {
    delta = uint48(bound(delta, 1, 1e4));
    Payment memory p = _payment();
    Payment memory told = _payment();
    field %= 4;
    if (field == 0) told.value += delta;
    if (field == 1) told.validAfter += delta;
    if (field == 2) told.validBefore += delta;
    if (field == 3) told.nonce = bytes32(uint256(p.nonce) ^ delta);
    _refuses(p, _blob(told, _permission(), _proof(0), _ecdsa(agentKey, _digest(p))));
    _refuses(p, _blob(told, _permission(), _proof(0), _ecdsa(agentKey, _digest(told))));
  }

  function test_error_payeeOfAnotherPayment() public {
    Payment memory p = _payment();
    p.to = stranger;
    _refuses(p, _blob(_payment(), _permission(), _proof(0), _ecdsa(agentKey, _digest(p))));
  }
}
