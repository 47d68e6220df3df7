// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy } from "../../../contracts/Policy.sol";
import { PurseTest } from "./PurseTest.sol";

/// @dev `isValidSignature` of what would be right elsewhere: for another domain, message, permission, agent or account.
contract PursePaymentOfAnotherTest is PurseTest {
  /* ---------------------------------------- error: other domains, other messages ---------------------------------------- */

  /// @dev A digest of another token, chain or contract, which the agent did sign, is not one of the token's.
  function test_error_lyingDomain(bytes32 domain) public view {
    vm.assume(domain != USDC.DOMAIN_SEPARATOR());
    Payment memory p = _payment();
    bytes32 structHash = keccak256(
      abi.encode(
        USDC.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(),
        address(purse),
        p.to,
        p.value,
        p.validAfter,
        p.validBefore,
        p.nonce
      )
    );
    bytes32 hash = keccak256(abi.encodePacked("\x19\x01", domain, structHash));
    _refuses(hash, _blob(p, _permission(), _proof(0), _ecdsa(agentKey, hash)));
  }

  function test_error_anotherChain() public {
    Payment memory p = _payment();
    bytes32 hash = _digest(p);
    bytes memory blob = _blob(p);
    vm.chainId(84_532);
    _refuses(hash, blob);
  }

  function test_error_anotherPayer(address from) public view {
    vm.assume(from != address(purse));
    Payment memory p = _payment();
    bytes32 hash = _digestOf("TransferWithAuthorization", from, p);
    _refuses(hash, _blob(p, _permission(), _proof(0), _ecdsa(agentKey, hash)));
  }

  /// @dev Only the payee could submit it, so it would be paid when he likes, and nobody needs it.
  function test_error_receiveWithAuthorization() public {
    Payment memory p = _payment();
    bytes32 hash = _digestOf("ReceiveWithAuthorization", address(purse), p);
    bytes memory blob = _blob(p, _permission(), _proof(0), _ecdsa(agentKey, hash));
    _refuses(hash, blob);
    vm.prank(p.to);
    vm.expectRevert("FiatTokenV2: invalid signature");
    USDC.receiveWithAuthorization(address(purse), p.to, p.value, p.validAfter, p.validBefore, p.nonce, blob);
  }

  function test_error_permit() public {
    Payment memory p = _payment();
    bytes32 typehash =
      keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 hash =
      _typedData(keccak256(abi.encode(typehash, address(purse), p.to, p.value, 0, type(uint256).max)));
    bytes memory blob = _blob(p, _permission(), _proof(0), _ecdsa(agentKey, hash));
    _refuses(hash, blob);
    vm.expectRevert("EIP2612: invalid signature");
    USDC.permit(address(purse), p.to, p.value, type(uint256).max, blob);
  }

  function test_error_anyHash(bytes32 hash) public view {
    Payment memory p = _payment();
    vm.assume(hash != _digest(p));
    _refuses(hash, _blob(p));
    _refuses(hash, _blob(p, _permission(), _proof(0), _ecdsa(agentKey, hash)));
  }

  /* ---------------------------------------- error: other permissions ---------------------------------------- */

  /// @dev With more to spend, for the same grant and agent, and approved: but it is not what funded the purse.
  function test_error_siblingThatDidNotFund() public {
    Policy memory policy = _policy();
    policy.perCall = NONE;
    policy.payees = ANY;
    ISpendPermissionManager.SpendPermission memory sibling = _permission(policy);
    _approve(sibling);
    Payment memory p = _payment();
    _refuses(p, _blob(p, sibling, _noProof(), _ecdsa(agentKey, _digest(p))));
    _refuses(p, _blob(p, sibling));
    _pays(p);
  }

  function test_error_siblingThatFundedBefore() public {
    ISpendPermissionManager.SpendPermission memory sibling = _permission();
    sibling.salt = 2;
    _approve(sibling);
    _pull();
    _fund(sibling, FLOAT);
    Payment memory p = _payment();
    _refuses(p);
    _pays(p, _blob(p, sibling));
  }

  /// @dev Any field of the permission that the blob tells otherwise makes it another permission.
  function test_error_anotherPermission(uint8 field, uint48 delta) public {
    delta = uint48(bound(delta, 1, 1e6));
    ISpendPermissionManager.SpendPermission memory told = _permission();
    field %= 5;
    if (field == 0) told.allowance += delta;
    if (field == 1) told.period += delta;
    if (field == 2) told.start -= delta;
    if (field == 3) told.end += delta;
    if (field == 4) told.salt += delta;
    _approve(told);
    _refuses(_payment(), _blob(_payment(), told));
  }

  /// @dev Grant and agent are not in the blob, so those of another cannot be told; what else differs is refused.
  function test_error_anotherGrant() public {
    Policy memory policy = _policy();
    policy.grantId = "another";
    assertEq(_blob(_payment(), _permission(policy)), _blob(_payment()));
    policy.perCall = NONE;
    _approve(_permission(policy));
    _fund(_permission(policy), FLOAT);
    _refuses(_payment(), _blob(_payment(), _permission(policy)));
  }

  /// @dev Two agents under one grant: two purses, neither of which hears the other agent.
  function test_error_anotherAgent() public {
    (address other, uint256 otherKey) = makeAddrAndKey("another agent");
    Policy memory policy = _policy();
    (policy.agent, policy.perCall) = (other, NONE);
    _approve(_permission(policy));
    _fund(_permission(policy), other, FLOAT);
    assertNotEq(address(_purseOf(other)), address(purse));
    assertEq(USDC.balanceOf(address(_purseOf(other))), FLOAT);

    Payment memory p = _payment();
    _refuses(p, _blob(p, _permission(), _proof(0), _ecdsa(otherKey, _digest(p))));
    _refuses(p, _blob(p, _permission(policy), _proof(0), _ecdsa(otherKey, _digest(p))));
    _refuses(p, _blob(p, _permission(policy)));

    purse = _purseOf(other);
    _refuses(p, _blob(p, _permission(policy)));
    _refuses(p, _blob(p, _permission(), _proof(0), _ecdsa(otherKey, _digest(p))));
    _pays(p, _blob(p, _permission(policy), _proof(0), _ecdsa(otherKey, _digest(p))));
  }

  /// @dev The purse's account, spender and token are not in the blob, so those of another cannot be told.
  function test_error_anotherAccount() public {
    address otherOwner = makeAddr("another owner");
    address other = address(FACTORY_V1.createAccount(_owners(otherOwner), 0));
    vm.prank(other);
    (bool ok,) = other.call(abi.encodeWithSignature("addOwnerAddress(address)", address(SPM)));
    assertTrue(ok);
    _mint(other, BALANCE);

    Policy memory policy = _policy();
    policy.payees = ANY;
    ISpendPermissionManager.SpendPermission memory hostile = _permission(policy);
    hostile.account = other;
    _approve(hostile);
    _fund(hostile, FLOAT);

    Payment memory p = _payment();
    p.to = stranger;
    _refuses(p, _blob(p, hostile, _noProof(), _ecdsa(agentKey, _digest(p))));
    assertEq(purse.fundedBy(), SPM.getHash(_permission()));
  }
}
