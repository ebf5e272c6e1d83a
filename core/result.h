// RESULT: a value, or the reason there is none. check.h is for bugs, this is for bad input.
//
// A dropped result does not compile (nodiscard). Reading the side that is not there is a bug, and is checked.
// An error type is a small enum with one enumerator for each thing a caller does differently.
#pragma once

#include <utility>
#include <variant>

#include "core/check.h"

namespace statefs {

template <typename T, typename E>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: conversion is the point
  explicit Result(std::in_place_t) : state_(std::in_place_index<0>) {}  // T{}, to be filled in through value()
  Result(E error) : state_(std::in_place_index<1>, error) {}             // NOLINT: conversion is the point

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  [[nodiscard]] T& value() & {
    STATEFS_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const& {
    STATEFS_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    STATEFS_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  [[nodiscard]] E error() const {
    STATEFS_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, E> state_;
};

struct Unit {};  // the value of a step that yields none: Result<Unit, E>

}  // namespace statefs
