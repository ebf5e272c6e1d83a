// a global that can change
int counter = 1;
int f() { return ++counter; }
