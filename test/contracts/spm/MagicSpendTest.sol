// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IMagicSpend } from "../../../contracts/interfaces/IMagicSpend.sol";
import { SpmTest } from "./SpmTest.sol";

/// @dev MagicSpend with an owner and with funds.
abstract contract MagicSpendTest is SpmTest {
  /// @dev Where Solady's `Ownable` keeps the owner: the code is placed without a constructor to set one.
  bytes32 internal constant OWNER_SLOT = 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffff74873927;

  address internal treasurer;
  uint256 internal treasurerKey;

  function setUp() public virtual override {
    super.setUp();
    (treasurer, treasurerKey) = makeAddrAndKey("treasurer");
    vm.store(address(MAGIC_SPEND), OWNER_SLOT, bytes32(uint256(uint160(treasurer))));
    token.mint(address(MAGIC_SPEND), BALANCE);
    vm.deal(address(MAGIC_SPEND), BALANCE);
  }

  function _signed(IMagicSpend.WithdrawRequest memory r)
    internal
    view
    returns (IMagicSpend.WithdrawRequest memory)
  {
    return _signedBy(treasurerKey, r);
  }

  function _signedBy(uint256 key, IMagicSpend.WithdrawRequest memory r)
    internal
    view
    returns (IMagicSpend.WithdrawRequest memory)
  {
    r.signature = _ecdsa(key, _withdrawHash(account, r));
    return r;
  }

  /// @dev Apart from MagicSpend: an EIP-191 message of seven words, 224 bytes.
  function _withdrawHash(address withdrawer, IMagicSpend.WithdrawRequest memory r)
    internal
    view
    returns (bytes32)
  {
    return keccak256(
      abi.encodePacked(
        "\x19Ethereum Signed Message:\n224",
        abi.encode(
          0x011A61C07DbF256A68256B1cB51A5e246730aB92,
          withdrawer,
          block.chainid,
          r.asset,
          r.amount,
          r.nonce,
          r.expiry
        )
      )
    );
  }
}
