// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev An account whose code runs inside `SPM.spend`: it makes the calls that it was told to, and what was asked.
contract HostileAccount {
  struct Call {
    address target;
    bytes data;
  }

  Call[] private _calls;
  bytes[] public results;
  bool public approves = true;

  function plan(address target, bytes calldata data) external {
    _calls.push(Call(target, data));
  }

  /// @dev What was planned, and what came of it.
  function forget() external {
    delete _calls;
    delete results;
    approves = true;
  }

  function setApproves(bool value) external {
    approves = value;
  }

  function execute(address target, uint256 value, bytes calldata data) external payable {
    for (uint256 i; i < _calls.length; ++i) {
      (bool success, bytes memory result) = _calls[i].target.call(_calls[i].data);
      results.push(success ? bytes("") : result);
    }
    if (!approves) return;
    (bool ok,) = target.call{ value: value }(data);
    require(ok);
  }

  function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
    return 0x1626ba7e;
  }

  function act(address target, bytes calldata data) external {
    (bool ok, bytes memory result) = target.call(data);
    if (!ok) {
      assembly {
        revert(add(result, 32), mload(result))
      }
    }
  }
}

/// @dev A token that calls somebody whenever it moves.
contract HostileToken {
  mapping(address => uint256) public balanceOf;
  mapping(address => mapping(address => uint256)) public allowance;
  address private _target;
  bytes private _data;
  bytes public result;
  bool public moves = true;

  function mint(address to, uint256 amount) external {
    balanceOf[to] += amount;
  }

  function plan(address target, bytes calldata data) external {
    (_target, _data) = (target, data);
  }

  function setMoves(bool value) external {
    moves = value;
  }

  function approve(address spender, uint256 amount) external returns (bool) {
    allowance[msg.sender][spender] = amount;
    return true;
  }

  function transfer(address to, uint256 amount) external returns (bool) {
    return _move(msg.sender, to, amount);
  }

  function transferFrom(address from, address to, uint256 amount) external returns (bool) {
    allowance[from][msg.sender] -= amount;
    return _move(from, to, amount);
  }

  function _move(address from, address to, uint256 amount) private returns (bool) {
    if (_target != address(0)) {
      (bool success, bytes memory error) = _target.call(_data);
      if (!success) result = error;
    }
    if (moves) {
      balanceOf[from] -= amount;
      balanceOf[to] += amount;
    }
    return true;
  }
}
