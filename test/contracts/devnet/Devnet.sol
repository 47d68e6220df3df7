// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { Test } from "forge-std/Test.sol";
import { Base64 } from "solady/utils/Base64.sol";
import { WebAuthn } from "solady/utils/WebAuthn.sol";

import {
  CoinbaseSmartWallet,
  CoinbaseSmartWalletV1_1,
  UserOperation
} from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import {
  CoinbaseSmartWalletFactory,
  CoinbaseSmartWalletFactoryV1_1
} from "../../../contracts/devnet/CoinbaseSmartWalletFactory.sol";
import { FiatToken } from "../../../contracts/devnet/FiatToken.sol";
import { FiatTokenProxy } from "../../../contracts/devnet/FiatTokenProxy.sol";

interface IEntryPoint {
  error FailedOp(uint256 opIndex, string reason);

  event UserOperationEvent(
    bytes32 indexed userOpHash,
    address indexed sender,
    address indexed paymaster,
    uint256 nonce,
    bool success,
    uint256 actualGasCost,
    uint256 actualGasUsed
  );

  event UserOperationRevertReason(
    bytes32 indexed userOpHash, address indexed sender, uint256 nonce, bytes revertReason
  );

  function handleOps(UserOperation[] calldata ops, address payable beneficiary) external;
  function getUserOpHash(UserOperation calldata userOp) external view returns (bytes32);
  function getNonce(address sender, uint192 key) external view returns (uint256);
  function balanceOf(address account) external view returns (uint256);
}

/// @notice Base as far as the wallets and USDC go: the stand-ins' runtime code at the canonical addresses, with
/// empty storage, and everything after that by calls and storage writes, as on an anvil.
abstract contract Devnet is Test {
  CoinbaseSmartWalletFactory internal constant FACTORY_V1 =
    CoinbaseSmartWalletFactory(0x0BA5ED0c6AA8c49038F819E587E2633c4A9F428a);
  CoinbaseSmartWalletFactory internal constant FACTORY_V1_1 =
    CoinbaseSmartWalletFactory(0xBA5ED110eFDBa3D005bfC882d75358ACBbB85842);
  address internal constant WALLET_V1 = 0x000100abaad02f1cfC8Bbe32bD5a564817339E72;
  address internal constant WALLET_V1_1 = 0x00000110dCdEdC9581cb5eCB8467282f2926534d;
  IEntryPoint internal constant ENTRY_POINT = IEntryPoint(0x5FF137D4b0FDCD49DcA30c7CF57E578a026d2789);
  FiatToken internal constant USDC = FiatToken(0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913);
  address internal constant USDC_IMPLEMENTATION = 0x2Ce6311ddAE708829bc0784C967b7d77D19FD779;

  address internal immutable circle = makeAddr("circle: every role of USDC");
  address internal immutable proxyAdmin = makeAddr("admin of USDC's proxy");
  address internal immutable stranger = makeAddr("stranger");

  uint256 internal constant PASSKEY = 0xa11ce;

  function setUp() public virtual {
    vm.chainId(8453);
    vm.warp(1_750_000_000);
    _placeWallets();
    _placeEntryPoint();
    _placeUsdc();
  }

  /* PLACING */

  function _placeWallets() internal {
    vm.etch(address(FACTORY_V1), type(CoinbaseSmartWalletFactory).runtimeCode);
    vm.etch(address(FACTORY_V1_1), type(CoinbaseSmartWalletFactoryV1_1).runtimeCode);
    vm.etch(WALLET_V1, type(CoinbaseSmartWallet).runtimeCode);
    vm.etch(WALLET_V1_1, type(CoinbaseSmartWalletV1_1).runtimeCode);
  }

  /// @dev The published bytecode. Its constructor runs at the canonical address, so that its helper, the
  /// SenderCreator, gets the canonical address too.
  function _placeEntryPoint() internal {
    string memory artifact =
      vm.readFile("node_modules/@account-abstraction/contracts/artifacts/EntryPoint.json");
    vm.etch(address(ENTRY_POINT), vm.parseJsonBytes(artifact, ".bytecode"));
    vm.setNonceUnsafe(address(ENTRY_POINT), 1);
    (bool ok, bytes memory runtimeCode) = address(ENTRY_POINT).call("");
    assertTrue(ok, "EntryPoint's constructor");
    vm.etch(address(ENTRY_POINT), runtimeCode);
  }

  function _placeUsdc() internal {
    vm.etch(USDC_IMPLEMENTATION, type(FiatToken).runtimeCode);
    vm.etch(address(USDC), type(FiatTokenProxy).runtimeCode);
    vm.store(
      address(USDC),
      0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3,
      bytes32(uint256(uint160(USDC_IMPLEMENTATION)))
    );
    vm.store(
      address(USDC),
      0x10d6a54a4754c8869d6886b5f5d7fbfa5b4522237ea5c60d11bc4e7a1ff9390b,
      bytes32(uint256(uint160(proxyAdmin)))
    );

    USDC.initialize("USD//C", "USDC", "USD", 6, circle, circle, circle, circle);
    USDC.initializeV2("USD Coin");
    USDC.initializeV2_1(circle);
    USDC.initializeV2_2(new address[](0), "USDC");
    vm.startPrank(circle);
    USDC.updateRescuer(circle);
    USDC.configureMinter(circle, type(uint256).max);
    vm.stopPrank();
  }

  /* HELPERS */

  function _mint(address to, uint256 amount) internal {
    vm.prank(circle);
    USDC.mint(to, amount);
  }

  function _owners(address a) internal pure returns (bytes[] memory owners) {
    owners = new bytes[](1);
    owners[0] = abi.encode(a);
  }

  function _owners(address a, uint256 passkey) internal pure returns (bytes[] memory owners) {
    owners = new bytes[](2);
    owners[0] = abi.encode(a);
    owners[1] = _publicKey(passkey);
  }

  function _publicKey(uint256 passkey) internal pure returns (bytes memory) {
    (uint256 x, uint256 y) = vm.publicKeyP256(passkey);
    return abi.encode(x, y);
  }

  function _wrap(uint256 ownerIndex, bytes memory signatureData) internal pure returns (bytes memory) {
    return abi.encode(CoinbaseSmartWallet.SignatureWrapper(ownerIndex, signatureData));
  }

  function _ecdsa(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
    (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
    return abi.encodePacked(r, s, v);
  }

  /// @dev What a browser's passkey answers to `challenge`, in the encoding of the wallet.
  function _webauthn(uint256 passkey, bytes32 challenge) internal pure returns (bytes memory) {
    WebAuthn.WebAuthnAuth memory auth;
    auth.authenticatorData = hex"49960de5880e8c687434170f6476605b8fe4aeb9a28632c7995cf3ba831d97630500000000";
    auth.clientDataJSON = string.concat(
      '{"type":"webauthn.get","challenge":"',
      Base64.encode(abi.encode(challenge), true, true),
      '","origin":"https://keys.coinbase.com","crossOrigin":false}'
    );
    auth.typeIndex = 1;
    auth.challengeIndex = 23;
    bytes32 digest = sha256(abi.encodePacked(auth.authenticatorData, sha256(bytes(auth.clientDataJSON))));
    (auth.r, auth.s) = vm.signP256(passkey, digest);
    // Of the two signatures that fit, only the one with the low s is accepted.
    uint256 n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551;
    if (uint256(auth.s) > n / 2) auth.s = bytes32(n - uint256(auth.s));
    return abi.encode(auth);
  }
}
