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
abstract contract PurseScene is Devnet {
  ISpendPermissionManager internal constant SPM =
    ISpendPermissionManager(payable(0xf85210B21cC50302F477BA56686d2019dC9b67Ad));

  bytes32 internal constant ANY = bytes32(type(uint256).max);
  bytes32 internal constant GRANT = keccak256("grant");
  uint112 internal constant NONE = type(uint112).max;

  uint48 internal constant START = 1_750_032_000; // a UTC midnight
  uint48 internal constant END = START + 30 days;
  uint112 internal constant PER_CALL = 1e6;
  uint112 internal constant FLOAT = 5e6;
  uint256 internal constant BALANCE = 1000e6;

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
    IHardcapGuard.Funding memory funding = IHardcapGuard.Funding({
      deadline: type(uint48).max, task: 0, ticket: "", number: ++lastNumber, ref: 0, target: target
    });
    vm.prank(by);
    guard.fund(p, funding);
  }

  /// @dev Empties the purse, so that it can be funded anew.
  function _pull() internal {
    vm.prank(account);
    purse.sweep(_permission());
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
}
