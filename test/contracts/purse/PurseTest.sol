// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { SpendPermissionManager } from "../../../contracts/devnet/SpendPermissionManager.sol";
import { HardcapGuard } from "../../../contracts/HardcapGuard.sol";
import { IHardcapGuard } from "../../../contracts/interfaces/IHardcapGuard.sol";
import { IPurse } from "../../../contracts/interfaces/IPurse.sol";
import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { Policy } from "../../../contracts/Policy.sol";
import { Devnet } from "../devnet/Devnet.sol";

/// @dev The ground of every purse test: an offline Base, the guard, one smart wallet as the account, and one permission
///      under which its agent's purse was funded with 5 USDC. Encodings and hashes are the tests' own.
abstract contract PurseTest is Devnet {
  ISpendPermissionManager internal constant SPM =
    ISpendPermissionManager(payable(0xf85210B21cC50302F477BA56686d2019dC9b67Ad));

  bytes4 internal constant ACCEPTED = 0x1626ba7e;
  bytes4 internal constant REFUSED = 0xffffffff;
  bytes32 internal constant ANY = bytes32(type(uint256).max);
  bytes32 internal constant GRANT = keccak256("grant");
  uint112 internal constant NONE = type(uint112).max;

  uint48 internal constant START = 1_750_032_000; // a UTC midnight
  uint48 internal constant END = START + 30 days;
  uint112 internal constant PER_CALL = 1e6;
  uint112 internal constant FLOAT = 5e6;
  uint256 internal constant BALANCE = 1000e6;

  /// @dev An EIP-3009 authorization of the purse.
  struct Payment {
    address to;
    uint112 value;
    uint48 validAfter;
    uint48 validBefore;
    bytes32 nonce;
  }

  HardcapGuard internal guard;
  CoinbaseSmartWallet internal wallet;
  address internal account;
  IPurse internal purse;
  uint256 internal lastNumber;

  address internal immutable owner = makeAddr("owner");
  address internal immutable orchestrator = makeAddr("orchestrator");
  address internal immutable facilitator = makeAddr("facilitator");
  address internal agent;
  uint256 internal agentKey;

  function setUp() public virtual override {
    super.setUp();
    vm.warp(START);
    vm.etch(address(SPM), type(SpendPermissionManager).runtimeCode);
    guard = new HardcapGuard();
    (agent, agentKey) = makeAddrAndKey("agent");

    wallet = FACTORY_V1.createAccount(_owners(owner), 0);
    account = address(wallet);
    vm.prank(account);
    wallet.addOwnerAddress(address(SPM));
    _mint(account, BALANCE);

    purse = _purseOf(agent);
    _approve(_permission());
    _fund(_permission(), FLOAT);
  }

  /* ---------------------------------------- policies and permissions ---------------------------------------- */

  function _policy() internal view returns (Policy memory) {
    return Policy({
      grantId: GRANT,
      agent: agent,
      orchestrator: orchestrator,
      perCall: PER_CALL,
      perDay: 20e6,
      total: 100e6,
      perTask: NONE,
      perWindow: type(uint48).max,
      window: 0,
      maxFloat: FLOAT,
      payees: _root(),
      replaces: 0
    });
  }

  function _permission() internal view returns (ISpendPermissionManager.SpendPermission memory) {
    return _permission(_policy());
  }

  function _permission(Policy memory policy)
    internal
    view
    returns (ISpendPermissionManager.SpendPermission memory)
  {
    return ISpendPermissionManager.SpendPermission({
      account: account,
      spender: address(guard),
      token: address(USDC),
      allowance: 20e6,
      period: 1 days,
      start: START,
      end: END,
      salt: uint256(keccak256("salt")),
      extraData: _encode(policy)
    });
  }

  /// @dev The policy's bytes: version, which fields are there, the fields.
  function _encode(Policy memory p) internal pure returns (bytes memory) {
    uint16 present = 1 << 7;
    bytes memory fields = abi.encodePacked(p.grantId, p.agent);
    if (p.orchestrator != address(0)) {
      (present, fields) = (present | 1, abi.encodePacked(fields, p.orchestrator));
    }
    if (p.perCall != NONE) (present, fields) = (present | 2, abi.encodePacked(fields, p.perCall));
    if (p.perDay != NONE) (present, fields) = (present | 4, abi.encodePacked(fields, p.perDay));
    if (p.total != NONE) (present, fields) = (present | 8, abi.encodePacked(fields, p.total));
    if (p.perTask != NONE) (present, fields) = (present | 16, abi.encodePacked(fields, p.perTask));
    if (p.window != 0) (present, fields) = (present | 32, abi.encodePacked(fields, p.perWindow, p.window));
    if (p.maxFloat != 0) (present, fields) = (present | 64, abi.encodePacked(fields, p.maxFloat));
    fields = abi.encodePacked(fields, p.payees);
    if (p.replaces != 0) (present, fields) = (present | 256, abi.encodePacked(fields, p.replaces));
    return abi.encodePacked(uint8(1), present, fields);
  }

  function _approve(ISpendPermissionManager.SpendPermission memory p) internal {
    vm.prank(p.account);
    assertTrue(SPM.approve(p), "approve");
  }

  /// @dev The agent funds its purse.
  function _fund(ISpendPermissionManager.SpendPermission memory p, uint112 target) internal {
    _fund(p, agent, target);
  }

  function _fund(ISpendPermissionManager.SpendPermission memory p, address by, uint112 target) internal {
    IHardcapGuard.Ticket memory none;
    IHardcapGuard.Funding memory funding = IHardcapGuard.Funding({
      deadline: type(uint48).max, task: 0, ticket: none, number: ++lastNumber, ref: 0, target: target
    });
    vm.prank(by);
    guard.fund(p, funding);
  }

  function _purseOf(address purseAgent) internal view returns (IPurse) {
    return IPurse(guard.purseOf(account, address(USDC), GRANT, purseAgent));
  }

  /* ---------------------------------------- payees ---------------------------------------- */

  /// @dev Payees 0 to 7 are in the tree, a proof has three words.
  function _payee(uint256 index) internal pure returns (address) {
    return vm.addr(uint256(keccak256(abi.encode("payee", index))));
  }

  function _leaf(uint256 index) internal pure returns (bytes32) {
    return keccak256(bytes.concat(keccak256(abi.encode(_payee(index)))));
  }

  function _pair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
    return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
  }

  /// @dev The node over `1 << height` leaves, the first of which is a multiple of that.
  function _node(uint256 first, uint256 height) internal pure returns (bytes32) {
    if (height == 0) return _leaf(first);
    return _pair(_node(first, height - 1), _node(first + (1 << (height - 1)), height - 1));
  }

  function _root() internal pure returns (bytes32) {
    return _node(0, 3);
  }

  function _proof(uint256 index) internal pure returns (bytes32[] memory proof) {
    proof = new bytes32[](3);
    for (uint256 height; height < 3; ++height) {
      uint256 first = (index >> height) << height;
      proof[height] = _node(first ^ (1 << height), height);
    }
  }

  function _noProof() internal pure returns (bytes32[] memory) {
    return new bytes32[](0);
  }

  /* ---------------------------------------- payments ---------------------------------------- */

  function _payment() internal pure returns (Payment memory) {
    return Payment({
      to: _payee(0), value: 0.05e6, validAfter: START - 60, validBefore: START + 60, nonce: keccak256("nonce")
    });
  }

  function _digest(Payment memory p) internal view returns (bytes32) {
    return _digestOf("TransferWithAuthorization", address(purse), p);
  }

  function _digestOf(string memory name, address from, Payment memory p) internal view returns (bytes32) {
    bytes32 typehash = keccak256(
      abi.encodePacked(
        name, "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
      )
    );
    return
      _typedData(keccak256(abi.encode(typehash, from, p.to, p.value, p.validAfter, p.validBefore, p.nonce)));
  }

  function _typedData(bytes32 structHash) internal view returns (bytes32) {
    return keccak256(abi.encodePacked("\x19\x01", USDC.DOMAIN_SEPARATOR(), structHash));
  }

  /// @dev For payee 0, signed by the agent, under the permission that funded the purse.
  function _blob(Payment memory p) internal view returns (bytes memory) {
    return _blob(p, _permission());
  }

  function _blob(Payment memory p, ISpendPermissionManager.SpendPermission memory permission)
    internal
    view
    returns (bytes memory)
  {
    return _blob(p, permission, _proof(0), _ecdsa(agentKey, _digest(p)));
  }

  function _blob(
    Payment memory p,
    ISpendPermissionManager.SpendPermission memory permission,
    bytes32[] memory proof,
    bytes memory signature
  ) internal pure returns (bytes memory) {
    bytes memory payment = abi.encodePacked(uint8(1), p.to, p.value, p.validAfter, p.validBefore, p.nonce);
    bytes memory terms = abi.encodePacked(
      permission.allowance,
      permission.period,
      permission.start,
      permission.end,
      permission.salt,
      uint16(permission.extraData.length),
      permission.extraData
    );
    return abi.encodePacked(payment, terms, uint8(proof.length), proof, signature);
  }

  /// @dev As a facilitator does: by the overload that takes bytes.
  function _settle(Payment memory p, bytes memory blob) internal {
    vm.prank(facilitator);
    USDC.transferWithAuthorization(address(purse), p.to, p.value, p.validAfter, p.validBefore, p.nonce, blob);
  }

  /* ---------------------------------------- cancellations ---------------------------------------- */

  function _cancelDigest(bytes32 nonce) internal view returns (bytes32) {
    bytes32 typehash = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
    return _typedData(keccak256(abi.encode(typehash, address(purse), nonce)));
  }

  function _cancelBlob(bytes32 nonce) internal view returns (bytes memory) {
    return abi.encodePacked(uint8(2), nonce, _ecdsa(agentKey, _cancelDigest(nonce)));
  }

  /// @dev The first `length` bytes.
  function _cut(bytes memory data, uint256 length) internal pure returns (bytes memory head) {
    head = new bytes(length);
    for (uint256 i; i < length; ++i) {
      head[i] = data[i];
    }
  }

  /* ---------------------------------------- assertions ---------------------------------------- */

  /// @dev The purse agrees, and the token moves the money.
  function _pays(Payment memory p, bytes memory blob) internal {
    assertEq(purse.isValidSignature(_digest(p), blob), ACCEPTED, "accepted");
    uint256 before = USDC.balanceOf(address(purse));
    uint256 received = USDC.balanceOf(p.to);
    _settle(p, blob);
    assertEq(USDC.balanceOf(address(purse)), before - p.value, "paid by the purse");
    assertEq(USDC.balanceOf(p.to), received + p.value, "received by the payee");
    assertTrue(USDC.authorizationState(address(purse), p.nonce), "nonce used");
  }

  function _pays(Payment memory p) internal {
    _pays(p, _blob(p));
  }

  /// @dev The purse answers no, without a revert, and the token moves nothing.
  function _refuses(Payment memory p, bytes memory blob) internal {
    _refuses(_digest(p), blob);
    uint256 before = USDC.balanceOf(address(purse));
    vm.expectRevert("FiatTokenV2: invalid signature");
    _settle(p, blob);
    assertEq(USDC.balanceOf(address(purse)), before, "nothing moved");
  }

  function _refuses(Payment memory p) internal {
    _refuses(p, _blob(p));
  }

  function _refuses(bytes32 hash, bytes memory blob) internal view {
    assertEq(purse.isValidSignature(hash, blob), REFUSED, "refused");
  }
}
