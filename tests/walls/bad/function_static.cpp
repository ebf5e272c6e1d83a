// a global that can change
int f() {
  static int calls;
  return ++calls;
}
